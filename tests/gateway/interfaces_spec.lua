-- SPDX-License-Identifier: MIT
-- A machine on two networks: it reaches both, and is no bridge between them.

local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")

local HELLO = 'export = { "HelloWorld" }'

local function start(machine, interfaces)
  local gateway = machine:start_gateway { HELLO, ("lan = { interfaces = %s }"):format(interfaces) }
  scripts.await(gateway, "err", "ready:")
  return gateway
end

-- alpha and both are on two networks, left and right on one each.
local function four()
  local list = {}
  for _, name in ipairs { "alpha", "left", "right", "both" } do
    list[name] = network.machine(name)
    if name ~= "left" then
      list[name]:join(78)
    end
  end
  list.right:spawn("ip", "link", "set", "eth0", "down"):succeed()
  local on = { left = '{ "eth0" }', right = '{ "eth78" }' }
  for name, machine in pairs(list) do
    machine.gateway = start(machine, on[name] or '{ "eth0", "eth78" }')
    machine.server = machine:server()
  end
  return list
end

local function send(machine, target, text)
  machine:client("-s", ([[\\%s\mailslot\HelloWorld]]):format(target), text):succeed()
end

local function stop(list)
  for _, machine in pairs(list) do
    network.stop(machine.server, machine.gateway)
  end
end

describe("a machine on two networks", function()
  before_each(network.enter)
  after_each(network.leave)

  it("sends to its domain on both, and who is on both as well gets one copy", function()
    local list = four()
    send(list.alpha, "*", "to all")
    send(list.alpha, "workgroup", "to all again")
    for _, machine in pairs(list) do
      machine.server:expect("Message #1: to all")
      machine.server:expect("Message #2: to all again")
    end
    for _, name in ipairs { "left", "right", "both" } do
      send(list.alpha, name, "to one")
      list[name].server:expect("Message #3: to one")
    end
    network.await_counter(list.both.gateway, "2 dropped: a duplicate")
    network.await_counter(list.alpha.gateway, "4 dropped: from this host")
    stop(list)
  end)

  it("does not hand on from one to the other", function()
    local list = four()
    send(list.left, "*", "of the left")
    list.left.server:expect("Message #1: of the left")
    list.alpha.server:expect("Message #1: of the left")
    list.both.server:expect("Message #1: of the left")
    send(list.right, "*", "of the right")
    list.right.server:expect("Message #1: of the right")
    list.alpha.server:expect("Message #2: of the right")
    list.both.server:expect("Message #2: of the right")
    send(list.right, "left", "no way leads there")
    scripts.await(list.right.gateway, "err", [[for \\left: nobody answers]])
    send(list.alpha, "left", "the last")
    list.left.server:expect("Message #2: the last")
    send(list.alpha, "right", "the last")
    list.right.server:expect("Message #2: the last")
    stop(list)
  end)
end)
