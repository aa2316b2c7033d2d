-- hold: a worker's heartbeat. Resets the idle time of the entries that are still this consumer's,
-- so that nobody takes them over. KEYS: stream. ARGV[3…]: ids. Answer: the ids still held.
local held = {}
for number = 3, #ARGV do
  local id = ARGV[number]
  local pending = redis.pcall('XPENDING', KEYS[1], plan.group, id, id, 1)
  if not pending.err and pending[1] and pending[1][2] == plan.consumer then
    redis.call('XCLAIM', KEYS[1], plan.group, plan.consumer, 0, id, 'JUSTID')
    held[#held + 1] = id
  end
end
return held
