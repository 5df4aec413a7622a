-- SPDX-License-Identifier: MIT
-- Machines on a network: each has a host name, an address and slots of its own, in namespaces
-- of this test. The spec itself runs in namespaces already (tests/gateway/run).
--
--   local network = require "tests.gateway.network"
--   before_each(network.enter)
--   after_each(network.leave)
--
--   local alpha = network.machine("alpha")
--   alpha:gateway { 'export = { "jobs" }' }

local support = require("tests.spec.support")
local scripts = require("tests.spec.scripts")
local uv = require("luv")

local network = {}

network.build = assert(os.getenv("MAILSLOT_BUILD"))

local machine_methods = {}
machine_methods.__index = machine_methods

local machines, folder

function network.run(program, ...)
  local child = support.spawn(program, { ... })
  child:succeed()
  return child.out
end

-- A program on a machine. Paths must be absolute.
function machine_methods:spawn(program, ...)
  return support.spawn("nsenter", {
    "--target", tostring(self.pid), "--net", "--uts", "--mount", "--wd=" .. folder,
    program, ...,
  }, { env = { MAILSLOT = false, MAILSLOT_DIR = false } })
end

function machine_methods:lua(...)
  local preload = "LD_PRELOAD=" .. os.getenv("MAILSLOT_PRELOAD")
  local cpath = "LUA_CPATH_5_4=" .. network.build .. "/lua/?.so;;"
  return self:spawn("/usr/bin/env", preload, cpath, "lua5.4", ...)
end

-- Lua code on a machine, with the module in `mailslot`.
function machine_methods:code(code)
  return self:lua("-e", 'io.stdout:setvbuf("line") mailslot = require "mailslot" ' .. code)
end

function machine_methods:client(...)
  return self:lua(scripts.folder .. "/client.lua", ...)
end

-- server.lua, once its slot exists. It shows each message as it comes, numbered from 1.
function machine_methods:server(...)
  local server = self:lua(scripts.folder .. "/server.lua", "--verbose", "--follow", "--quiet", ...)
  scripts.await(server, "err", "is created by process %d+\n")
  return server
end

-- Writes a file into the folder of the test and returns its path.
function network.write(name, text)
  local path = folder .. "/" .. name
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

-- A new folder in that of the test.
function network.folder(name)
  local path = folder .. "/" .. name
  assert(uv.fs_mkdir(path, 448))
  return path
end

-- The machine's gateway with these lines of configuration, whatever becomes of it.
function machine_methods:start_gateway(lines)
  local path = network.write(self.name .. ".lua", table.concat(lines, "\n") .. "\n")
  self.config = path
  return self:spawn(network.build .. "/mailslot-gateway", "--config", path)
end

-- The same, on the interface eth0, once it carries messages.
function machine_methods:gateway(lines)
  lines = table.move(lines or {}, 1, #(lines or {}), 2, { 'lan = { interfaces = { "eth0" } }' })
  local gateway = self:start_gateway(lines)
  scripts.await(gateway, "err", "ready:")
  return gateway
end

-- A machine whose place on the network is 10.77.0.`number`.
local function connect(machine, number)
  local bridge_end = "to-" .. machine.name
  network.run("ip", "link", "add", bridge_end, "type", "veth", "peer", "name", "eth0",
    "netns", tostring(machine.pid))
  network.run("ip", "link", "set", bridge_end, "master", "bridge", "up")
  machine.address = "10.77.0." .. number
  for _, words in ipairs {
    { "addr", "add", machine.address .. "/24", "broadcast", "10.77.0.255", "dev", "eth0" },
    { "link", "set", "lo", "up" },
    { "link", "set", "eth0", "up" },
  } do
    machine:spawn("ip", table.unpack(words)):succeed()
  end
end

function network.machine(name)
  local machine = setmetatable({ name = name }, machine_methods)
  machine.holder = support.spawn("unshare", { "--net", "--uts", "--mount", "sh", "-c",
    "hostname " .. name .. " && mount -t tmpfs none /dev/shm && echo there && exec cat" })
  machine.pid = machine.holder.pid
  machine.holder:expect("there")
  machines[#machines + 1] = machine
  connect(machine, #machines)
  return machine
end

-- Waits until the gateway has counted this, as SIGUSR1 lets it say.
function network.await_counter(gateway, pattern)
  support.await(function()
    local _, length = gateway.err:find(".*")
    gateway:kill("sigusr1")
    support.await(function()
      return gateway.err:find("counters: %d+ came in", length)
    end, "counters")
    return gateway.err:find("counters: " .. pattern, length)
  end, pattern)
end

function network.enter()
  support.enter()
  machines, folder = {}, assert(uv.fs_mkdtemp("/tmp/mailslot-gateway-XXXXXX"))
  network.run("ip", "link", "add", "bridge", "type", "bridge")
  network.run("ip", "link", "set", "bridge", "up")
end

-- Waits until a program has ended after SIGTERM, and with status 0.
function network.stop(...)
  for _, child in ipairs { ... } do
    child:kill("sigterm")
    local status, signal = child:finish()
    assert(status == 0 or status == 143 or signal == 15,
      ("ended with status %d, signal %d: %s"):format(status, signal, child.err))
  end
end

function network.leave()
  for _, machine in ipairs(machines) do
    -- By itself it would go with the last process there, some time later.
    network.run("ip", "link", "del", "to-" .. machine.name)
    machine.holder:finish()
  end
  network.run("ip", "link", "del", "bridge")
  network.run("rm", "-r", folder)
  support.leave()
end

return network
