-- count: how many jobs there are. KEYS: stream, delayed, dead.
-- Answer: {waiting, due, dead, since when the oldest waits; '' for none}.
local stream, delayed = KEYS[1], KEYS[2]
local length, later = redis.call('XLEN', stream), redis.call('ZCARD', delayed)
local claimed = 0
if length > 0 and #redis.call('XINFO', 'GROUPS', stream) > 0 then
  claimed = redis.call('XPENDING', stream, plan.group)[1]
  -- What a process holds that has died could be claimed now.
  claimed = claimed - #redis.call('XPENDING', stream, plan.group, 'IDLE', plan.dead_after,
    '-', '+', plan.look_at)
end
local oldest = nil
local function see(queued, id)
  local at = tonumber(queued) or math.floor(tonumber(id:match('^%d+')) / 1000)
  if not oldest or at < oldest then oldest = at end
end
for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', plan.look_at)) do
  see(entry[2][6], entry[1])
end
for _, member in ipairs(redis.call('ZRANGE', delayed, 0, plan.look_at - 1)) do
  see(member:match('^[^:/]*/(%d+)/'), member)
end
local due = length - claimed + redis.call('ZCOUNT', delayed, '-inf', now)
return {length + later, due, redis.call('LLEN', KEYS[3]), oldest and tostring(oldest) or ''}
