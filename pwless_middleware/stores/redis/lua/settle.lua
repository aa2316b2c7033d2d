-- settle: take a job out of the stream and put it where it comes again or is kept.
-- Nothing happens if it is no longer there: it was settled before, here or by another worker.
-- KEYS: stream, delayed, dead.
if redis.call('XDEL', KEYS[1], plan.id) == 0 then return 0 end
redis.call('XACK', KEYS[1], plan.group, plan.id)
if plan.at then
  local head = plan.id .. '/' .. plan.queued .. '/' .. plan.reason
  redis.call('ZADD', KEYS[2], plan.at, head .. ':' .. plan.tries .. ':' .. ARGV[3])
else
  redis.call('LPUSH', KEYS[3], ARGV[3])
  redis.call('LTRIM', KEYS[3], 0, plan.dead - 1)
end
return 1
