-- SPDX-License-Identifier: MIT
-- Answers each question that ask.c asks, loudly.
local mailslot = require "mailslot"

local questions <close> = assert(mailslot.create("questions"))
for question in questions:messages(math.huge) do
  mailslot.send("answers", question:upper())
end
