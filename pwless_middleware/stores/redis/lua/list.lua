-- list: some of the jobs that wait, of the stream from `start` on, or else those put back.
-- KEYS: stream, delayed.
-- Answer: {whether it is claimed, id, payload, tries, since when it waits, its last reason, …}, or
-- {member, score, …}: all of the second `at`, and so many behind.
local stream, delayed, found = KEYS[1], KEYS[2], {}
if not plan.start then
  if not plan.at then return redis.call('ZRANGE', delayed, 0, -1, 'WITHSCORES') end
  found = redis.call('ZRANGEBYSCORE', delayed, '(' .. plan.at, '+inf',
    'WITHSCORES', 'LIMIT', 0, plan.limit)
  local same = redis.call('ZRANGEBYSCORE', delayed, plan.at, plan.at, 'WITHSCORES')
  for _, each in ipairs(same) do found[#found + 1] = each end
  return found
end
local is_read = redis.call('EXISTS', stream) == 1 and #redis.call('XINFO', 'GROUPS', stream) > 0
for _, entry in ipairs(redis.call('XRANGE', stream, plan.start, '+', 'COUNT', plan.limit)) do
  local id, fields, pending = entry[1], entry[2], nil
  if is_read then pending = redis.call('XPENDING', stream, plan.group, id, id, 1)[1] end
  found[#found + 1] = pending and pending[3] <= plan.dead_after and 1 or 0
  for _, each in ipairs({id, fields[2], fields[4], fields[6] or '', fields[8] or ''}) do
    found[#found + 1] = each
  end
end
return found
