-- leave: give back what this consumer holds, so that others take it at once, and go. Also what it
-- does not know of: a claim whose answer was lost. It goes to a consumer that is nobody, idle for
-- long. KEYS: stream.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if #redis.call('XINFO', 'GROUPS', KEYS[1]) == 0 then return 0 end
for _, entry in ipairs(redis.call('XPENDING', KEYS[1], plan.group, '-', '+', 1000, plan.consumer)) do
  redis.call('XCLAIM', KEYS[1], plan.group, 'left', 0, entry[1], 'IDLE', 86400000, 'JUSTID')
end
local pending = redis.call('XPENDING', KEYS[1], plan.group, '-', '+', 1, plan.consumer)
if #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], plan.group, plan.consumer) end
return 1
