-- SPDX-License-Identifier: MIT
-- A writer in Lua: lua5.4 writer.lua DESCRIPTOR SEED WRITER stranger|user
local account = require "soak_account"
local mailslot = require "mailslot"

local LONGEST_STREAM = 100
local TIMES = { 0, 0, 0, 0.001, 0.02, math.huge }

local function some_time()
  return TIMES[1 + account.chance(#TIMES)]
end

local function send_one(writer)
  local message = account.compose(0, account.LARGEST_MESSAGE)
  account.about(1)
  local ok, _, code = writer:send(message, some_time())
  return account.note(ok and 1 or 0, code)
end

local function send_by_name(name)
  local message = account.compose(0, account.LARGEST_MESSAGE)
  account.about(1)
  local ok, _, code = mailslot.send(name, message, some_time())
  return account.note(ok and 1 or 0, code)
end

local function send_batch(writer)
  local messages = {}
  for i = 1, 1 + account.chance(account.BATCH) do
    messages[i] = account.compose(i - 1, account.LARGEST_MESSAGE)
  end
  account.about(#messages)
  local sent, _, code, sent_before = writer:send_all(messages, some_time())
  return account.note(sent or sent_before, code)
end

local function send_opened(name)
  local writer <close>, _, code = mailslot.open(name)
  if not writer then
    account.note_closed(code)
    account.nap(1)
    return
  end
  local can_go_on = account.begin(false)
  local count = account.chance(LONGEST_STREAM)
  while count > 0 and can_go_on do
    can_go_on = (account.chance(2) == 0 and send_one or send_batch)(writer)
    count = count - 1
  end
end

local function send_loose(name)
  local can_go_on = account.begin(true)
  local count = 1 + account.chance(10)
  while count > 0 and can_go_on do
    can_go_on = send_by_name(name)
    count = count - 1
  end
end

local descriptor, seed, me, user = table.unpack(arg)
local is_stranger = user == "stranger"
account.attach(math.tointeger(descriptor), math.tointeger(seed))
if is_stranger then
  account.become_stranger()
end
while not account.is_over() do
  local name = account.enter(math.tointeger(me), is_stranger)
  if name then
    if account.chance(2) > 0 then
      send_opened(name)
    else
      send_loose(name)
    end
    account.leave()
  end
  account.nap(account.chance(3))
end
