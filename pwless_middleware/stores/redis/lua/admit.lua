-- admit: count these and, if all are within their limits, write this and queue that.
-- On a cluster also used for a part of that: the budgets of another slot, or the queue alone.
-- Answer: {status, refused by, wait}; status 0 ok, 1 refused, 2 conflict, 3 queue full.
local answer = remembered()
if answer then return answer end

local function longest_wait()
  local longest = 0
  for _, draw in ipairs(plan.draws) do
    if draw.window then longest = math.max(longest, wait_of(draw)) end
  end
  return longest
end

if plan.put then
  local held = live(KEYS[plan.put.key])
  if plan.put.replaces then
    if not held or held:sub(5) ~= ARGV[plan.put.replaces] then return {2, -1, 0} end
  elseif held == ARGV[plan.put.record] then
    -- Under a fresh random key this very record proves that the call was done before, and that
    -- its reply was lost. It saves the memory of an operation id for every challenge.
    return {0, -1, longest_wait()}
  elseif held then
    return {2, -1, 0}
  end
end
local by, wait = refusal()
if by then return {1, by, wait} end
if queue_is_full() then return {3, -1, 0} end

enter()
if plan.put then put(KEYS[plan.put.key], ARGV[plan.put.record], plan.put.ttl) end
if plan.add then add_to_list(plan.add) end
queue()
return remember({0, -1, longest_wait()})
