-- SPDX-License-Identifier: MIT
-- The same as guard.c in Lua. Usage: guard.lua [fd] COUNT
local mailslot = require "mailslot"
local message = ("."):rep(64)
local slot <close> = assert(mailslot.create "mailslot-guard")
local writer <close> = assert(mailslot.open "mailslot-guard")
local is_fd = arg[1] == "fd"
if is_fd then
  assert(slot:getfd())
end
for _ = 1, tonumber(arg[#arg]) do
  assert(writer:send(message))
  assert(slot:read() == message)
  assert(not is_fd or not slot:read())
end
