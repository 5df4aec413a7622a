-- SPDX-License-Identifier: MIT
-- NATS with TLS and users: who is refused, and that it is said once.

local nats = require("tests.gateway.nats")
local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")

local JOBS = 'export = { "jobs" }'

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

-- What a host may do that exports the slot jobs. `*` stands for a whole token, so each
-- consumer is named.
local function user(host)
  local rights = { ("ms.*.*.%s.>"):format(host), "$JS.API.STREAM.INFO.MAILSLOT" }
  for _, name in ipairs { host .. "-U-jobs", host .. "-G-workgroup-S-jobs" } do
    for _, subject in ipairs { "$JS.API.CONSUMER.DURABLE.CREATE.MAILSLOT.%s",
      "$JS.API.CONSUMER.MSG.NEXT.MAILSLOT.%s", "$JS.ACK.MAILSLOT.%s.>" } do
      rights[#rights + 1] = subject:format(name)
    end
  end
  return ([[
    { user: %s, password: "of %s", permissions: { publish: ["%s"], subscribe: "_INBOX.%s.>" } }
  ]]):format(host, host, table.concat(rights, '", "'), host)
end

local authority, server

local function enter()
  network.enter()
  nats.enter()
  authority = nats.certificate("authority")
end

-- A server whose certificate is for that address, and for whom only users exist.
local function start_server(address)
  local certificate = nats.certificate("server", address, authority)
  return nats.server {
    "debug: true",
    ("tls { cert_file: %q, key_file: %q, timeout: 2 }"):format(certificate.cert, certificate.key),
    "authorization { users: [",
    '{ user: admin, password: "of admin" }', user("alpha"), user("beta"),
    "] }",
  }
end

local function login(name, password)
  return ("user = %q, password_file = %q, "):format(name,
    network.write(name .. ".password", (password or "of " .. name) .. "\n"))
end

local function trust(certificate)
  return ("ca = %q, "):format(certificate.cert)
end

-- A gateway that may make the stream.
local function admin()
  return nats.gateway(network.machine("admin"), {}, login("admin") .. trust(authority), 0,
    nats.TLS_URL)
end

describe("a server with TLS and users", function()
  before_each(function()
    enter()
    server = start_server("IP:" .. nats.ADDRESS)
  end)
  after_each(function()
    nats.stop(server)
    network.leave()
  end)

  it("carries messages between hosts that have no more rights than they need", function()
    local c = admin()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = nats.gateway(alpha, { JOBS }, login("alpha") .. trust(authority), 1, nats.TLS_URL)
    local b = nats.gateway(beta, { JOBS }, login("beta") .. trust(authority) .. "verified = true",
      1, nats.TLS_URL)
    local here, there = alpha:server("-s", "jobs"), beta:server("-s", "jobs")
    alpha:client("-s", [[\\beta\mailslot\jobs]], "to one"):succeed()
    there:expect("Message #1: to one")
    alpha:client("-s", [[\\*\mailslot\jobs]], "to all"):succeed()
    there:expect("Message #2: to all")
    here:expect("Message #1: to all")
    network.stop(here, there, a, b, c)
  end)

  it("has no stream before somebody makes it who may, and says why", function()
    local a = nats.gateway(network.machine("alpha"), {}, login("alpha") .. trust(authority), 0,
      nats.TLS_URL)
    scripts.await(a, "err", "nats: the stream MAILSLOT: Timeout")
    network.stop(a)
  end)

  it("refuses a host that signs as another, which is said once", function()
    local c = admin()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = nats.gateway(alpha, { 'host = "delta"' }, login("alpha") .. trust(authority), 0,
      nats.TLS_URL)
    local b = nats.gateway(beta, { JOBS }, login("beta") .. trust(authority), 1, nats.TLS_URL)
    local jobs = beta:server("-s", "jobs")
    alpha:client("-s", [[\\beta\mailslot\jobs]], "of delta"):succeed()
    support.await(function()
      return count(server.err, 'Publish Violation.-Subject "ms.u.beta.delta.jobs"') >= 2
    end, "a second attempt")
    scripts.await(a, "err", "Publish to")
    assert.equal(1, count(a.err:lower(), 'violation for publish to "ms.u.beta.delta.jobs"'))
    assert.equal("", jobs.out)
    network.stop(jobs, a, b, c)
  end)

  -- Several attempts, one line.
  local function refused(options, url, reason)
    local alpha = network.machine("alpha")
    local a = alpha:start_gateway { nats.road(alpha, options, url) }
    local before = count(server.err, "Client connection created")
    support.await(function()
      return count(server.err, "Client connection created") >= before + 3
    end, "three attempts")
    assert.equal(1, count(a.err, "not connected: "), a.err)
    assert.matches(reason, a.err)
    assert.is_nil(a.err:find("nats: connected", 1, true))
    network.stop(a)
  end

  it("refuses a wrong password, which is said once", function()
    refused(login("alpha", "wrong") .. trust(authority), nats.TLS_URL, "Authorization")
  end)

  it("is refused when another authority has signed it, which is said once", function()
    local other = nats.certificate("other")
    refused(login("alpha") .. trust(other), nats.TLS_URL, "SSL handshake error: .*local issuer")
  end)

  it("is not trusted when nobody has said whom to trust", function()
    refused(login("alpha"), nats.URL, "SSL handshake error: .*local issuer")
  end)
end)

describe("a server with the certificate of another host", function()
  before_each(enter)
  after_each(network.leave)

  it("is refused", function()
    server = start_server("IP:10.77.0.253")
    local alpha = network.machine("alpha")
    local a = alpha:start_gateway {
      nats.road(alpha, login("alpha") .. trust(authority), nats.TLS_URL) }
    scripts.await(a, "err", "not connected: .*IP address mismatch")
    network.stop(a)
    nats.stop(server)
  end)
end)

describe("a server without TLS", function()
  before_each(enter)
  after_each(network.leave)

  it("is told no password when TLS was asked for", function()
    server = nats.server { "trace: true",
      'authorization { users: [ { user: alpha, password: "of alpha" } ] }' }
    local alpha = network.machine("alpha")
    local a = alpha:start_gateway {
      nats.road(alpha, login("alpha") .. trust(authority), nats.TLS_URL) }
    scripts.await(a, "err", "not connected: Secure Connection not available")
    assert.is_nil(server.err:find("CONNECT {", 1, true))
    network.stop(a)
    nats.stop(server)
  end)
end)

describe("a configuration of the road nats", function()
  before_each(function()
    network.enter()
    nats.enter()
  end)
  after_each(network.leave)

  it("that is wrong is refused with the place and the reason", function()
    for text, reason in pairs {
      ["{}"] = "url is missing",
      ["{ url = 'x',\nstream = 'a.b' }"] = "stream is not a name of NATS",
      ["{ url = 'x',\nuser = 'u' }"] = "password_file is missing",
      ["{ url = 'x',\ncert = 'c' }"] = "key is missing",
      ["{ url = 'x',\nlinger = -1 }"] = "linger must be a number from 0 to 3600",
      ["{ url = 'x',\nreplicas = 6 }"] = "replicas must be an integer from 1 to 5",
      ["{ url = 'x',\nqueue = 1 }"] = "queue is not an option",
    } do
      local path = network.write("gateway.lua", "nats = " .. text)
      local child = support.spawn(network.build .. "/mailslot-gateway", { "-k", "-c", path })
      assert.equal(1, (child:finish()))
      assert.matches("gateway%.lua:%d: nats%." .. reason .. "\n", child.err)
    end
  end)

  it("whose files are not there is refused at the start", function()
    local alpha = network.machine("alpha")
    for option, text in pairs {
      ["ca = '/nowhere/ca.pem'"] = "nats.ca: /nowhere/ca.pem: ",
      ["user = 'u', password_file = '/nowhere/p'"] = "nats.password_file: /nowhere/p: No such file",
      ["cert = '/nowhere/c', key = '/nowhere/k'"] = "nats.cert: /nowhere/c: ",
    } do
      local a = alpha:start_gateway { nats.road(alpha, option) }
      assert.equal(1, (a:finish()))
      assert.is_truthy(a.err:find(text, 1, true), a.err)
    end
    local a = alpha:start_gateway { ("nats = { url = %q, state = '/nowhere' }"):format(nats.URL) }
    assert.equal(1, (a:finish()))
    assert.matches("nats%.state: /nowhere: No such file", a.err)
  end)
end)
