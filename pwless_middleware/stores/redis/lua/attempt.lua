-- attempt: count these and, if all are within their limits, read that.
-- Answer: {status, refused by, wait, left, value}; status 0 ok, 1 refused, 2 absent. `left` is of
-- the first draw. Without a record (a cluster's other slots) only the counting is done.
local answer = remembered()
if answer then return answer end

local held = ''
if plan.record then
  held = live(KEYS[plan.record])
  if not held then return {2, -1, 0, 0, ''} end
end
local by, wait = refusal()
if by then return {1, by, wait, 0, ''} end
enter()
local first = plan.draws[1]
local rest = first and first.limits and left(ledger_of(first), first) or 0
return remember({0, -1, 0, rest, held:sub(5)})
