-- primary: prove that this server takes writes, and tell which data it has.
-- KEYS[1] is the marker: a random text that whoever finds it missing writes, ARGV[3]. Another text
-- than before, or none, means that the data was thrown away (FLUSHALL, a restart without data).
-- ARGV[4] is a channel of the asker's own ('' for none), ARGV[5] what it wants to hear there.
-- Answer: {marker or '', the refusal of a write or ''}.
local held = redis.call('GET', KEYS[1])
-- EXPIRE is a write that needs no memory, so that a full server is still told from a replica.
local wrote = held and redis.pcall('EXPIRE', KEYS[1], plan.ttl)
  or redis.pcall('SET', KEYS[1], ARGV[3], 'EX', plan.ttl)
local refusal = ''
if type(wrote) == 'table' and wrote.err then
  refusal = wrote.err
elseif not held then
  held = ARGV[3]
end
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return {held or '', refusal}
