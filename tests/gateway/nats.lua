-- SPDX-License-Identifier: MIT
-- NATS servers for tests, at 10.77.0.254 on the network, and a client of them that knows
-- the few lines of the protocol that tests need.

local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")
local uv = require("luv")

local nats = {}

local ADDRESS, PORT = "10.77.0.254", 4222

nats.ADDRESS = ADDRESS
nats.TLS_URL = ("tls://%s:%d"):format(ADDRESS, PORT)
nats.URL = ("nats://%s:%d"):format(ADDRESS, PORT)

-- Call once in each test before the first server.
function nats.enter()
  network.run("ip", "link", "set", "lo", "up")
  network.run("ip", "addr", "add", ADDRESS .. "/24", "dev", "bridge")
  nats.store = network.folder("store")
end

-- A server with these lines of configuration, once it can be used. Its messages outlive it.
function nats.server(lines)
  local config = network.write("nats.conf", ([[
    listen: "%s:%d"
    jetstream { store_dir: %q }
    %s
  ]]):format(ADDRESS, PORT, nats.store, table.concat(lines or {}, "\n")))
  local server = support.spawn("nats-server", { "-c", config })
  scripts.await(server, "err", "Server is ready")
  return server
end

-- Ends a server in order.
function nats.stop(server)
  server:kill("sigint")
  server:succeed()
end

-- Ends a server or another child without notice.
function nats.kill(child)
  child:kill("sigkill")
  child:finish()
end

local client_methods = {}
client_methods.__index = client_methods

-- Sends a request with headers, a text of lines or nil; returns what is answered.
function client_methods:request(subject, data, headers)
  self.count = self.count + 1
  local reply = ("_INBOX.test.%d"):format(self.count)
  local line
  if headers then
    headers = "NATS/1.0\r\n" .. headers .. "\r\n\r\n"
    line = ("HPUB %s %s %d %d\r\n%s"):format(subject, reply, #headers, #headers + #data, headers)
  else
    line = ("PUB %s %s %d\r\n"):format(subject, reply, #data)
  end
  self.tcp:write(line .. data .. "\r\n")
  local pattern = "MSG " .. reply:gsub("%.", "%%.") .. " 1 +(%d+)\r\n()"
  return support.await(function()
    local size, start = self.input:match(pattern)
    local text = size and self.input:sub(start, start + size - 1)
    return text and #text == tonumber(size) and text
  end, "an answer to " .. subject .. " in " .. self.input)
end

function client_methods:close()
  self.tcp:close()
end

-- A connection to the server, for one without users or TLS.
function nats.client()
  local client = setmetatable({ tcp = uv.new_tcp(), input = "", count = 0 }, client_methods)
  client.tcp:connect(ADDRESS, PORT, function(failure)
    assert(not failure, failure)
    client.tcp:read_start(function(read_failure, chunk)
      assert(not read_failure, read_failure)
      client.input = client.input .. (chunk or "")
    end)
    client.tcp:write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
    client.tcp:write("SUB _INBOX.test.* 1\r\nPING\r\n")
  end)
  support.await(function()
    return client.input:find("PONG\r\n", 1, true)
  end, "a greeting of the server")
  return client
end

-- The road's line of a gateway's configuration, with more options as text.
function nats.road(machine, options, url)
  machine.state = machine.state or network.folder(machine.name .. ".state")
  return ("nats = { url = %q, state = %q, %s }"):format(url or nats.URL, machine.state,
    options or "")
end

-- A certificate that `issuer` has signed, or that has signed itself, for an IP address or a
-- host: { cert =, key = }, paths.
function nats.certificate(name, address, issuer)
  local cert, key = network.write(name .. ".pem", ""), network.write(name .. ".key", "")
  local words = { "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
    "-nodes", "-days", "2", "-subj", "/CN=" .. name, "-keyout", key, "-out", cert }
  if issuer then
    table.move({ "-addext", "subjectAltName=" .. address, "-CA", issuer.cert, "-CAkey",
      issuer.key }, 1, 6, #words + 1, words)
  end
  network.run("openssl", table.unpack(words))
  return { cert = cert, key = key }
end

-- The gateway of a machine with that road and more lines, once it is connected and the
-- server knows its consumers: two for each of so many exported slots.
function nats.gateway(machine, lines, options, exports, url)
  lines = table.move(lines or {}, 1, #(lines or {}), 2, { nats.road(machine, options, url) })
  local gateway = machine:start_gateway(lines)
  scripts.await(gateway, "err", "nats: connected")
  support.await(function()
    return #nats.journals(machine) == 2 * (exports or 0)
  end, "the consumers of " .. machine.name)
  return gateway
end

-- What a machine knows of consumers.
function nats.journals(machine)
  local names = {}
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(machine.state)) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

return nats
