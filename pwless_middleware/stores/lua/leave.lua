-- leave: give back what this consumer holds, so that others take it at once, and go.
-- KEYS: stream. ARGV[3…]: ids held. They go to a consumer that is nobody, idle for long.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if #redis.call('XINFO', 'GROUPS', KEYS[1]) == 0 then return 0 end
for number = 3, #ARGV do
  redis.call('XCLAIM', KEYS[1], plan.group, 'left', 0, ARGV[number], 'IDLE', 86400000, 'JUSTID')
end
local pending = redis.call('XPENDING', KEYS[1], plan.group, '-', '+', 1, plan.consumer)
if #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], plan.group, plan.consumer) end
return 1
