-- SPDX-License-Identifier: MIT
-- Answers each question that ask.c asks, loudly, until Ctrl-C.
local has_module, mailslot = pcall(require, "mailslot")

local function give_up(text)
  io.stderr:write("shout.lua: ", text, "\n")
  os.exit(1, true)
end

if not has_module then
  give_up("cannot load the module mailslot: README.md says how it is found\n" .. mailslot)
end
if #arg > 0 then
  give_up("takes no arguments: ask with the program of ask.c")
end

local questions <close>, text = mailslot.create("questions")
if not questions then
  give_up(text)
end
for question in questions:messages(math.huge) do
  local is_sent, why = mailslot.send("answers", question:upper())
  if not is_sent then
    io.stderr:write("shout.lua: ", why, "\n")
  end
end
