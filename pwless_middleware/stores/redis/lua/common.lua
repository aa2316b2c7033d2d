-- What every script begins with. ARGV[1] is the caller's `now`, ARGV[2] a plan in JSON that points
-- into KEYS and ARGV by number. A record is `until u32 | value`, a ledger as in core/budgets.py;
-- the arithmetic below is the one there, line by line, and the contract suite holds both.
-- Reads and checks come first in each script: an error then leaves nothing half written.
local now = tonumber(ARGV[1])
local plan = cjson.decode(ARGV[2])
local OP_SECONDS = 60

-- The record with its `until`, or nil if it is absent for this `now`.
local function live(key)
  local held = redis.call('GET', key)
  if held and #held >= 4 and struct.unpack('>I4', held) > now then return held end
  return nil
end

local function remembered()
  local answer = plan.op and redis.call('GET', KEYS[plan.op])
  return answer and cmsgpack.unpack(answer)
end

local function remember(answer)
  if plan.op then redis.call('SET', KEYS[plan.op], cmsgpack.pack(answer), 'EX', OP_SECONDS) end
  return answer
end

local function entries(ledger)
  local position = 1
  return function()
    if position > #ledger then return nil end
    local time, tag, count
    time, tag, count, position = struct.unpack('>I4I4I2', ledger, position)
    return time, tag, count
  end
end

-- A limit is {count, window, mask}.
local function counts(draw, limit, time, tag)
  return time > now - limit[2]
    and (limit[3] == 0 or bit.band(tag, limit[3]) == bit.band(draw.tag, limit[3]))
end

-- A draw with `since` looks at a record that holds a time; see wait_for_mark in core/budgets.py.
local NEVER = 2147483648
local function wait_for_mark(draw)
  local mark = live(KEYS[draw.key])
  return mark and struct.unpack('>I4', mark, 5) >= draw.since and NEVER or 0
end

local function wait_for(ledger, draw)
  local wait = 0
  for _, limit in ipairs(draw.limits) do
    local over = 1 - limit[1]
    for time, tag, count in entries(ledger) do
      if counts(draw, limit, time, tag) then over = over + count end
    end
    if over > 0 then
      local until_ = limit[2]
      for time, tag, count in entries(ledger) do
        if counts(draw, limit, time, tag) then
          over = over - count
          if over <= 0 then
            until_ = math.min(limit[2], time + limit[2] - now)
            break
          end
        end
      end
      wait = math.max(wait, until_)
    end
  end
  return wait
end

local function left(ledger, draw)
  local least
  for _, limit in ipairs(draw.limits) do
    local free = limit[1]
    for time, tag, count in entries(ledger) do
      if counts(draw, limit, time, tag) then free = free - count end
    end
    least = math.min(least or free, free)
  end
  return math.max(0, least)
end

local function entered(ledger, draw)
  local at, kept, merged = now - now % draw.quantum, {}, false
  for time, tag, count in entries(ledger) do
    if time > now - draw.window then
      if not merged and time == at and tag == draw.tag and count < 65535 then
        count, merged = count + 1, true
      end
      kept[#kept + 1] = struct.pack('>I4I4I2', time, tag, count)
    end
  end
  if not merged then kept[#kept + 1] = struct.pack('>I4I4I2', at, draw.tag, 1) end
  return table.concat(kept)
end

local function refunded(ledger, refund)
  local kept, done = {}, false
  for time, tag, count in entries(ledger) do
    if not done and time == refund.at and tag == refund.tag then
      done, count = true, count - 1
    end
    if count > 0 then kept[#kept + 1] = struct.pack('>I4I4I2', time, tag, count) end
  end
  return table.concat(kept)
end

local function ledger_of(draw)
  return redis.call('GET', KEYS[draw.key]) or ''
end

local function wait_of(draw)
  if draw.since then return wait_for_mark(draw) end
  return wait_for(ledger_of(draw), draw)
end

-- The draw that has to wait longest, counted from 0 as Python does, and its wait; nil if all pass.
local function refusal()
  local by, longest = nil, 0
  for number, draw in ipairs(plan.draws) do
    local wait = wait_of(draw)
    if wait > longest then by, longest = number - 1, wait end
  end
  return by, longest
end

local function enter()
  for _, draw in ipairs(plan.draws) do
    if draw.window then
      redis.call('SET', KEYS[draw.key], entered(ledger_of(draw), draw), 'EX', draw.window)
    end
  end
end

-- Put a record; one that has ended already is removed instead.
local function put(key, record, ttl)
  if ttl > 0 then redis.call('SET', key, record, 'EX', ttl) else redis.call('DEL', key) end
end

-- Whether the queue has no room for the plan's jobs; what waits for its next try counts too.
local function queue_is_full()
  if not plan.jobs then return false end
  local waiting = redis.call('XLEN', KEYS[plan.jobs.stream])
  waiting = waiting + redis.call('ZCARD', KEYS[plan.jobs.delayed])
  return waiting + #plan.jobs.payloads > plan.jobs.most
end

local function queue()
  if not plan.jobs then return end
  for _, payload in ipairs(plan.jobs.payloads) do
    redis.call('XADD', KEYS[plan.jobs.stream], '*', 'p', ARGV[payload], 't', 0, 'q', ARGV[1])
  end
end

-- A list is a sorted set of keys by the second at which they end. What ended a day ago leaves here;
-- not sooner, since a clock that runs ahead would unlist what still lives, and so save it from
-- "revoke all".
local function add_to_list(add)
  redis.call('ZREMRANGEBYSCORE', KEYS[add.list], '-inf', now - 86400)
  redis.call('ZADD', KEYS[add.list], add.till, add.member)
  if redis.call('TTL', KEYS[add.list]) < add.ttl then
    redis.call('EXPIRE', KEYS[add.list], add.ttl)
  end
end
