-- SPDX-License-Identifier: MIT
-- Samba as the other machine: its nmbd, its codec, its name service; and the eyes of tshark.

local json = require("dkjson")
local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")
local uv = require("luv")

local SAMBA = [[
[global]
  netbios name = NMBDHOST
  workgroup = TESTGRP
  server role = classic primary domain controller
  interfaces = eth0
  bind interfaces only = yes
  local master = no
  preferred master = no
  domain master = no
  lock directory = DIR/lock
  state directory = DIR/state
  cache directory = DIR/cache
  private dir = DIR/private
  pid directory = DIR/pid
  ncalrpc dir = DIR/ncalrpc
  nmbd:socket dir = DIR/socket
  log file = DIR/log
]]

local DIRECTORIES = { "lock", "state", "cache", "private", "pid", "ncalrpc", "socket" }

-- What a computer tells of itself, in BROWSE: 15 bytes of name from byte 7 on.
local PRINT_ANNOUNCEMENTS = [[
  local slot = assert(mailslot.create("BROWSE"))
  print "ready"
  for message in slot:messages(math.huge) do
    local kind = message:byte()
    if kind == 1 or kind == 15 then
      print((message:sub(7, 22):match("^[^\0]*")))
    end
  end
]]

-- Asks a domain controller to answer into a slot, until it does: it takes some seconds to
-- claim its names.
local ASK_CONTROLLER = [[
  local slot = assert(mailslot.create("reply\\here"))
  local request = ("<I2zzzBI2I2"):pack(0, "ALPHA", "user", "\\MAILSLOT\\REPLY\\HERE",
    0, 0xffff, 0xffff)
  local reply
  for _ = 1, 60 do
    assert(mailslot.send("\\\\NMBDHOST\\mailslot\\NET\\NETLOGON", request))
    reply = slot:read(0.5)
    if reply then break end
  end
  print((assert(reply):gsub("%c", " ")))
]]

-- With these lines of its configuration, and of what it knows as a WINS server.
local function start_nmbd(machine, lines, wins)
  local folder = network.folder("samba")
  for _, name in ipairs(DIRECTORIES) do
    assert(uv.fs_mkdir(folder .. "/" .. name, 493))
  end
  local text = SAMBA:gsub("DIR", folder)
  machine.samba = network.write("smb.conf", text .. (lines or ""))
  network.write("samba/state/wins.dat", wins or "")
  return machine:spawn("nmbd", "--foreground", "--no-process-group", "--debug-stdout",
    "-s", machine.samba)
end

describe("nmbd", function()
  before_each(network.enter)
  after_each(network.leave)

  it("and the gateway hear and answer each other", function()
    local alpha, peer = network.machine("alpha"), network.machine("peer")
    local a = alpha:gateway { 'domain = "testgrp"', 'export = { "browse", "reply/here" }' }
    local browser = alpha:code(PRINT_ANNOUNCEMENTS)
    browser:expect("ready")
    local nmbd = start_nmbd(peer)
    browser:expect("NMBDHOST")

    local asker = alpha:code(ASK_CONTROLLER)
    assert.matches("NMBDHOST", asker:line(60))
    asker:succeed()

    alpha:code([[mailslot.send("\\\\testgrp\\mailslot\\BROWSE", "\2\0ALPHA\0")]]):succeed()
    browser:expect("NMBDHOST")

    for name, found in pairs { alpha = "10.77.0.1 alpha<00>", testgrp = "10.77.0.1 testgrp<00>" } do
      local lookup = peer:spawn("nmblookup", "-s", peer.samba, "-B", "10.77.0.255", name)
      lookup:succeed()
      assert.matches(found, lookup.out, 1, true)
    end
    network.stop(browser, nmbd, a)
  end)
end)

describe("a WINS server", function()
  before_each(network.enter)
  after_each(network.leave)

  -- Who has no `name_port` like the others hears no question of theirs.
  local function silent(machine, lines)
    local gateway = machine:start_gateway {
      'export = { "HelloWorld" }', 'lan = { interfaces = { "eth0" }, name_port = 1137 }', lines }
    scripts.await(gateway, "err", "ready:")
    return gateway
  end

  local function send(machine, target, text)
    machine:client("-s", ([[\\%s\mailslot\HelloWorld]]):format(target), text):succeed()
  end

  it("says where a host is and what is a group, and whom it does not know is asked", function()
    local alpha, beta, gamma, peer = network.machine("alpha"), network.machine("beta"),
      network.machine("gamma"), network.machine("peer")
    local later = os.time() + 3600
    local nmbd = start_nmbd(peer, "wins support = yes\n", ([[
VERSION 1 0
"ELSEWHERE#00" %d 10.77.0.2 64R
"FARGROUP#00" %d 255.255.255.255 e4R
]]):format(later, later))
    local a = alpha:start_gateway { 'lan = { interfaces = { "eth0" }, wins = "10.77.0.4" }' }
    local b = silent(beta, 'host = "elsewhere"\ndomain = "fargroup"')
    local g = gamma:gateway { 'export = { "HelloWorld" }' }
    scripts.await(a, "err", "ready:")
    local there, near = beta:server(), gamma:server()
    local deadline = support.now() + support.DEADLINE
    repeat -- until it serves
      local lookup = alpha:spawn("nmblookup", "-s", peer.samba, "-U", "10.77.0.4", "--recursion",
        "elsewhere")
      local status = lookup:finish()
      assert(status == 0 or support.now() < deadline, lookup.err)
    until status == 0
    send(alpha, "elsewhere", "to a host")
    there:expect("Message #1: to a host")
    send(alpha, "fargroup", "to a group")
    there:expect("Message #2: to a group")
    send(alpha, "gamma", "to one that it does not know")
    near:expect("Message #1: to one that it does not know")
    assert.is_nil(a.err:find("dropped", 1, true), a.err)
    network.stop(there, near, nmbd, a, b, g)
  end)
end)

describe("Samba's codec", function()
  before_each(network.enter)
  after_each(network.leave)

  local codec = uv.fs_realpath("tests/gateway/samba_codec.py")

  local MESSAGES = {
    { to = "peer", slot = [[jobs]], data = "hello", kind = 0x10, destination = "PEER<00>" },
    { to = "peer", slot = [[Dir\nam]], data = "", kind = 0x10, destination = "PEER<00>" },
    { to = "workgroup", slot = "x", data = ("\0\255"):rep(214), kind = 0x11,
      destination = "WORKGROUP<00>" },
    { to = "*", slot = ("long"):rep(20), data = ("y"):rep(352), kind = 0x11,
      destination = "WORKGROUP<00>" },
  }

  -- What tshark says to packets, given in hexadecimal.
  local function dissect(packets)
    local lines = {}
    for _, packet in ipairs(packets) do
      lines[#lines + 1] = "000000 " .. packet:gsub("..", "%0 ")
    end
    local text = network.write("packets.txt", table.concat(lines, "\n") .. "\n")
    local capture = network.folder("capture") .. "/packets.pcap"
    network.run("text2pcap", "-q", "-u", "138,138", text, capture)
    assert.equal("", network.run("tshark", "-r", capture, "-Y", "_ws.malformed"))
    return network.run("tshark", "-r", capture, "-T", "fields", "-E", "separator=|",
      "-e", "smb.trans_name", "-e", "nbdgm.src.ip")
  end

  it("and tshark read what the gateway sends, and make the same bytes of it", function()
    local alpha, peer = network.machine("alpha"), network.machine("peer")
    local lmhosts = network.write("lmhosts", "10.77.0.2 PEER\n")
    local a = alpha:start_gateway {
      ('lan = { interfaces = { "eth0" }, lmhosts = %q }'):format(lmhosts) }
    scripts.await(a, "err", "ready:")
    local receiver = peer:spawn("/usr/bin/python3", codec, "receive", tostring(#MESSAGES))
    receiver:expect("ready")
    for _, message in ipairs(MESSAGES) do
      alpha:code(("assert(mailslot.send(%q, %q))"):format(
        ([[\\%s\mailslot\%s]]):format(message.to, message.slot), message.data)):succeed()
    end
    local packets, expected = {}, {}
    for i, message in ipairs(MESSAGES) do
      local seen = assert(json.decode(receiver:line()))
      assert.equal(message.kind, seen.type)
      assert.equal("ALPHA<00>", seen.source)
      assert.equal(message.destination, seen.destination)
      assert.equal("10.77.0.1", seen.claimed)
      assert.equal([[\MAILSLOT\]] .. message.slot, seen.slot)
      assert.equal(#message.data, utf8.len(seen.data))
      assert.is_true(seen.is_whole)
      assert.is_true(seen.is_same)
      packets[i] = seen.packet
      expected[i] = seen.slot .. "|10.77.0.1\n"
    end
    receiver:succeed()
    assert.equal(table.concat(expected), dissect(packets))
    network.stop(a)
  end)

  it("makes what the gateway reads", function()
    local alpha, peer = network.machine("alpha"), network.machine("peer")
    local a = alpha:gateway { 'export = { "HelloWorld" }' }
    local server = alpha:server()
    local number = 0
    local function send(to, kind, destination, slot, data, count)
      peer:spawn("/usr/bin/python3", codec, "send", to, kind, "PEER", destination, slot,
        data, tostring(count or 1)):succeed()
    end
    for _, case in ipairs {
      { "10.77.0.1", "16", "ALPHA" }, { "10.77.0.255", "17", "WORKGROUP" },
      { "10.77.0.255", "18", "WORKGROUP" },
    } do
      number = number + 1
      send(case[1], case[2], case[3], "HELLOWORLD", "hello " .. number)
      server:expect(("Message #%d: hello %d"):format(number, number))
    end
    send("10.77.0.1", "16", "OTHER", "HELLOWORLD", "not for us")
    send("10.77.0.1", "16", "ALPHA", "HELLOWORLD", "the last", 2)
    server:expect("Message #4: the last")
    network.await_counter(a, "1 dropped: a duplicate")
    network.await_counter(a, "1 dropped: for another name")
    network.stop(server, a)
  end)
end)
