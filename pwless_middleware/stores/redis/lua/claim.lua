-- claim: hand out jobs, each to one consumer, at most `limit`, in this order:
--   those that this process held too long and gives up, those of processes that have died (their
--   heartbeat no longer resets the entry's idle time), new ones, then what was put back and is due.
-- KEYS: stream, delayed. ARGV[3…]: ids given up.
-- Answer: {id, payload, tries, since when it waits, its last reason, id, …}.
local stream, delayed = KEYS[1], KEYS[2]
local found, taken = {}, 0

local function hand_out(entries)
  for _, entry in ipairs(entries) do
    -- An entry that was deleted while it was pending comes as false, up to Redis 6.2.
    if entry and entry[2] then
      found[#found + 1] = entry[1]
      found[#found + 1] = entry[2][2]
      found[#found + 1] = entry[2][4]
      found[#found + 1] = entry[2][6] or ''
      found[#found + 1] = entry[2][8] or ''
      taken = taken + 1
    end
  end
end

local function read_new()
  local read = redis.call('XREADGROUP', 'GROUP', plan.group, plan.consumer,
    'COUNT', plan.limit - taken, 'STREAMS', stream, '>')
  if read then hand_out(read[1][2]) end
end

if redis.call('EXISTS', stream) == 0 then
  if redis.call('ZCOUNT', delayed, '-inf', now) == 0 then return found end
  redis.call('XGROUP', 'CREATE', stream, plan.group, '0', 'MKSTREAM')
elseif #redis.call('XINFO', 'GROUPS', stream) == 0 then
  redis.call('XGROUP', 'CREATE', stream, plan.group, '0')
end

for number = 3, #ARGV do
  if taken >= plan.limit then break end
  local id = ARGV[number]
  local pending = redis.call('XPENDING', stream, plan.group, id, id, 1)[1]
  if pending and pending[2] == plan.consumer then
    hand_out(redis.call('XCLAIM', stream, plan.group, plan.consumer, 0, id))
  end
end
if taken < plan.limit then
  hand_out(redis.call('XAUTOCLAIM', stream, plan.group, plan.consumer, plan.dead_after, '0-0',
    'COUNT', plan.limit - taken)[2])
end
if taken < plan.limit then read_new() end
if taken < plan.limit then
  -- Nothing in the stream is unread now, so that what is added here is what is read next.
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, plan.limit - taken)
  for _, member in ipairs(due) do
    local head, tries, payload = member:match('^([^:]*):(%d+):(.*)$')
    local queued, reason = head:match('/(%d*)/(.*)$')
    redis.call('XADD', stream, '*', 'p', payload, 't', tries, 'q', queued or '', 'r', reason or '')
    redis.call('ZREM', delayed, member)
  end
  if #due > 0 then read_new() end
end
if plan.tidy then
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, plan.group)) do
    local about = {}
    for field = 1, #info, 2 do about[info[field]] = info[field + 1] end
    -- Deleting a consumer forgets what is pending for it, so only those with nothing go.
    if about.pending == 0 and about.idle > plan.tidy and about.name ~= plan.consumer then
      redis.call('XGROUP', 'DELCONSUMER', stream, plan.group, about.name)
    end
  end
end
return found
