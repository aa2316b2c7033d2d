-- drop: remove jobs, dead or waiting. KEYS: stream, delayed, dead. ARGV[3…]: ids of the stream, and
-- members of `delayed` and the dead list as they stand there. Answer: how many there were.
local dropped = 0
for number = 3, #ARGV do
  local gone = 0
  if ARGV[number]:match('^%d+%-%d+$') then
    gone = redis.call('XDEL', KEYS[1], ARGV[number])
    redis.pcall('XACK', KEYS[1], plan.group, ARGV[number])
  end
  if gone == 0 then gone = redis.call('ZREM', KEYS[2], ARGV[number]) end
  if gone == 0 then gone = redis.call('LREM', KEYS[3], 1, ARGV[number]) end
  dropped = dropped + gone
end
return dropped
