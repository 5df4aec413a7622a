-- SPDX-License-Identifier: MIT
-- Machines on networks: each has a host name, addresses and slots of its own, in namespaces
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

local machines, bridges, folder

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

-- Lua with the module of a folder.
local function lua_words(module_folder)
  return "/usr/bin/env", "LD_PRELOAD=" .. os.getenv("MAILSLOT_PRELOAD"),
    "LUA_CPATH_5_4=" .. module_folder .. "/?.so;;", "lua5.4"
end

local function with_module(code)
  return 'io.stdout:setvbuf("line") mailslot = require "mailslot" ' .. code
end

function machine_methods:lua(...)
  local words = { lua_words(network.build .. "/lua") }
  table.move({ ... }, 1, select("#", ...), #words + 1, words)
  return self:spawn(table.unpack(words))
end

-- Lua code on a machine, with the module in `mailslot`.
function machine_methods:code(code)
  return self:lua("-e", with_module(code))
end

-- The same as another user of the machine, after network.publish.
function machine_methods:code_of(uid, code)
  local words = { "setpriv", "--reuid", tostring(uid), "--regid", tostring(uid),
    "--clear-groups", lua_words(folder) }
  table.move({ "-e", with_module(code) }, 1, 2, #words + 1, words)
  return self:spawn(table.unpack(words))
end

-- Lets other users read the folder of the test, and the module there.
function network.publish()
  assert(uv.fs_copyfile(network.build .. "/lua/mailslot.so", folder .. "/mailslot.so"))
  network.run("chmod", "755", folder, folder .. "/mailslot.so")
end

-- Only root has other users, and only where it is no namespace's.
function network.has_users()
  local file <close> = assert(io.open("/proc/self/uid_map"))
  return tonumber(file:read("a"):match("(%d+)%s*$")) > 1
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

local function add_bridge(name)
  network.run("ip", "link", "add", name, "type", "bridge")
  network.run("ip", "link", "set", name, "up")
  bridges[name] = true
end

-- Connects a machine to one more network, 10.`number`.0.0: there it is the one of the same
-- place as on its first, and the interface is eth`number`.
function machine_methods:join(number, interface, bridge)
  interface, bridge = interface or "eth" .. number, bridge or "bridge" .. number
  if not bridges[bridge] then
    add_bridge(bridge)
  end
  local cable = ("%s-%s"):format(interface, self.name)
  network.run("ip", "link", "add", cable, "type", "veth", "peer", "name", interface,
    "netns", tostring(self.pid))
  network.run("ip", "link", "set", cable, "master", bridge, "up")
  self.cables[#self.cables + 1] = cable
  for _, words in ipairs {
    { "addr", "add", ("10.%d.0.%d/24"):format(number, self.place),
      "broadcast", ("10.%d.0.255"):format(number), "dev", interface },
    { "link", "set", interface, "up" },
  } do
    self:spawn("ip", table.unpack(words)):succeed()
  end
end

-- A machine on the network 10.77.0.0, where its place is the number of its making.
function network.machine(name)
  local machine = setmetatable({ name = name, place = #machines + 1, cables = {} },
    machine_methods)
  machine.holder = support.spawn("unshare", { "--net", "--uts", "--mount", "sh", "-c",
    "hostname " .. name .. " && mount -t tmpfs none /dev/shm && echo there && exec cat" })
  machine.pid = machine.holder.pid
  machine.holder:expect("there")
  machines[machine.place] = machine
  machine:spawn("ip", "link", "set", "lo", "up"):succeed()
  machine:join(77, "eth0", "bridge")
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
  machines, bridges = {}, {}
  folder = assert(uv.fs_mkdtemp("/tmp/mailslot-gateway-XXXXXX"))
  add_bridge("bridge")
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
    for _, cable in ipairs(machine.cables) do
      network.run("ip", "link", "del", cable)
    end
    machine.holder:finish()
  end
  for bridge in pairs(bridges) do
    network.run("ip", "link", "del", bridge)
  end
  network.run("rm", "-r", folder)
  support.leave()
end

return network
