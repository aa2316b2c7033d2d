-- swap: write a record if exactly that value stands there. The new value standing there already
-- is the answer to a call that came twice, after its reply was lost.
local held = live(KEYS[plan.put.key])
if not held then return 0 end
if held == ARGV[plan.put.record] then return 1 end
if held:sub(5) ~= ARGV[plan.put.replaces] then return 0 end
if plan.add then add_to_list(plan.add) end
put(KEYS[plan.put.key], ARGV[plan.put.record], plan.put.ttl)
return 1
