-- revive: have jobs tried at once that are dead or wait for a later try, behind what was never put
-- back. KEYS: stream, delayed, dead. ARGV[3…]: pairs of a member of `delayed` or the dead list, as
-- they stand there, and what is put into `delayed` for it. Answer: how many there were.
local revived = 0
for number = 3, #ARGV, 2 do
  local gone = redis.call('ZREM', KEYS[2], ARGV[number])
  if gone == 0 then gone = redis.call('LREM', KEYS[3], 1, ARGV[number]) end
  if gone == 1 then
    redis.call('ZADD', KEYS[2], now, ARGV[number + 1])
    revived = revived + 1
  end
end
return revived
