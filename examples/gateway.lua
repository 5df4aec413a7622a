-- SPDX-License-Identifier: MIT
-- An example of /etc/mailslot/gateway.lua. mailslot-gateway(1) describes every option;
-- `mailslot-gateway --check` tells what is wrong with a file, and in which line.

-- This machine's name on the network, up to 15 bytes; without, that of the system.
-- host = "alpha"

-- The domain (Windows: the workgroup) that \\* and \\DOMAIN reach.
domain = "workgroup"

-- What may be reached from outside: nothing that is not named here.
export = {
  "HelloWorld",
  jobs = {
    rate = 100,        -- messages a second, of all senders together
    burst = 200,       -- and at once
    sender_rate = 20,  -- of each sender
    bytes = 1048576,   -- that may lie unread when one from outside is let in
  },
}

-- The local network: the protocol of Windows and Samba.
lan = {
  interfaces = { "eth0" },
  -- subnets = { "10.77.0.0/24" },    who may send; without, the interfaces' own
  -- lmhosts = "/etc/mailslot/lmhosts",
  -- wins = "10.77.0.5",
}

-- A NATS server: for more than one network, and messages that survive restarts.
-- nats = {
--   url = "tls://nats.example.org:4222",
--   ca = "/etc/mailslot/ca.pem",
--   user = "alpha", password_file = "/etc/mailslot/password",
--   verified = true,   -- the server lets each host publish only under its own name
-- }

-- Which way goes what: without, all takes the only road, or nats if there are both.
-- routes = { ["*"] = "nats", oldbox = "lan" }

-- Who on this machine may send to others: here everybody.
outbox = { mode = "0622" }

-- Whom to become when started as root.
-- user = "mailslot"

-- Looks at every message. true: it may pass. false, and a reason: it may not.
-- filter = function(message)
--   if message.direction == "out" and message.uid == 0 then
--     return false, "root does not write letters"
--   end
--   return true
-- end
