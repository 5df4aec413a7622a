-- SPDX-License-Identifier: MIT
-- An owner in Lua: lua5.4 owner.lua DESCRIPTOR SEED SLOT [FAULT]
-- A fault (lose, double, reorder or damage) is planted to see that it is found.
local account = require "soak_account"
local mailslot = require "mailslot"

local LONGEST_LIFE_MS = 1500
local FAULT_ONE_IN = 500
local TIMES = { 0, 0, 0.001, 0.02 }

local descriptor, seed, slot_index, planted = table.unpack(arg)

local function some_time()
  return TIMES[1 + account.chance(#TIMES + 1)] -- nil: the slot's own
end

local function flip_a_bit(message)
  local at = 1 + account.chance(#message)
  return message:sub(1, at - 1) .. string.char(message:byte(at) ~ 1) .. message:sub(at + 1)
end

local held_back

local faults = {
  lose = function() end,
  double = function(message)
    account.take(message)
    account.take(message)
  end,
  reorder = function(message)
    if held_back or #message == 0 then
      account.take(message)
    else
      held_back = message
    end
  end,
  damage = function(message)
    account.take(#message > 0 and flip_a_bit(message) or message)
  end,
}

local function take_with_fault(message)
  if account.chance(FAULT_ONE_IN) == 0 then
    return faults[planted](message)
  end
  account.take(message)
  if held_back then
    account.take(held_back)
    held_back = nil
  end
end

-- A message, or a table with its envelope.
local function take(message)
  local has_meta = type(message) == "table"
  local data = has_meta and message.data or message
  if planted then
    take_with_fault(data)
  else
    account.take(data, has_meta and message.seq or nil)
  end
end

local function is_nothing(code)
  return code == "EAGAIN" or code == "ETIMEDOUT"
end

-- What a call returned: whether there was a message.
local function check(result, _, code)
  if not result and not is_nothing(code) then
    account.report("a call in Lua", code)
  end
  return result
end

local function read_one(slot, timeout)
  local message = check(slot:read(timeout))
  if message then
    take(message)
  end
end

local function read_with_meta(slot, timeout)
  local message = check(slot:read { timeout = timeout, meta = true })
  if message then
    take(message)
  end
end

local function read_some(slot, timeout)
  local options = { timeout = timeout, max = 1 + account.chance(50),
    meta = account.chance(2) == 0 }
  for _, message in ipairs(check(slot:read_all(options))) do
    take(message)
  end
end

local function read_all(slot, timeout)
  for _, message in ipairs(check(mailslot.read_all(slot, timeout))) do
    take(message)
  end
end

local function iterate(slot, timeout)
  local count = 1 + account.chance(50)
  for message in slot:messages { timeout = timeout, meta = account.chance(2) == 0 } do
    take(message)
    count = count - 1
    if count == 0 then
      break
    end
  end
end

local function wait_and_look(slot, timeout)
  if check(slot:wait(timeout)) then
    local count, info = #slot, check(slot:info())
    if count == 0 or info.count < count or not info.next_size then
      account.report("nothing after a wait")
    end
    read_some(slot, 0)
  end
end

local ways = { read_one, read_with_meta, read_some, read_all, iterate, wait_and_look }

local function leave_in_order(slot)
  account.prepare_end()
  while account.is_sent_to() do
    read_all(slot, 0.001)
  end
  repeat
    local messages = check(slot:read_all(0))
    for _, message in ipairs(messages) do
      take(message)
    end
  until #messages == 0
  account.end_life(true)
  slot:close()
end

local function live(slot)
  local end_ms = account.now_ms() + 50 + account.chance(LONGEST_LIFE_MS)
  while account.now_ms() < end_ms and not account.is_over() do
    ways[1 + account.chance(#ways)](slot, some_time())
    if account.chance(100) == 0 then
      account.nap(account.chance(50))
    end
  end
end

-- Others hold up create if they are stopped while they remove what a killed owner left.
local function create()
  local name, max_bytes, mode, group = account.begin_life(math.tointeger(slot_index))
  local slot, _, code = mailslot.create(name, { max_bytes = max_bytes, mode = mode,
    group = mode:find("2%d$") and group, timeout = account.chance(20) / 1000 })
  if not slot then
    account.end_life(false)
    account.note_refusal(code)
    if code ~= "ETIMEDOUT" then
      account.report("create in Lua", code)
    end
  end
  return slot
end

account.attach(math.tointeger(descriptor), math.tointeger(seed))
while not account.is_over() do
  local slot <close> = create()
  if slot then
    live(slot)
    if account.chance(4) == 0 then
      account.end_life(false)
    else
      leave_in_order(slot)
    end
  end
end
