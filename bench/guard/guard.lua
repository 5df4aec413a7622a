-- SPDX-License-Identifier: MIT
-- The same as guard.c in Lua. Usage: guard.lua COUNT
local mailslot = require "mailslot"
local message = ("."):rep(64)
local slot <close> = assert(mailslot.create "mailslot-guard")
local writer <close> = assert(mailslot.open "mailslot-guard")
for _ = 1, tonumber(arg[1]) do
  assert(writer:send(message))
  assert(slot:read() == message)
end
