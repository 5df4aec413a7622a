-- SPDX-License-Identifier: MIT
-- Other users send. They are real ones: root becomes them.
local support = require "tests.spec.support"
local scripts = require "tests.spec.scripts"
local mailslot = require "mailslot"
local uv = require "luv"

local OTHER = 65534

-- A folder that everybody can read, with the module and the scripts.
local function publish()
  local folder = assert(uv.fs_mkdtemp("/dev/shm/mailslot-users-XXXXXX"))
  assert(uv.fs_chmod(folder, tonumber("755", 8)))
  local module = assert(package.searchpath("mailslot", package.cpath))
  local files = {
    ["mailslot.so"] = module,
    ["client.lua"] = "scripts/client.lua",
    ["mailslot_cli.lua"] = "scripts/mailslot_cli.lua",
  }
  for name, from in pairs(files) do
    assert(uv.fs_copyfile(from, folder .. "/" .. name))
    assert(uv.fs_chmod(folder .. "/" .. name, tonumber("644", 8)))
  end
  return folder
end

local function withdraw(folder)
  for name in uv.fs_scandir_next, assert(uv.fs_scandir(folder)) do
    assert(uv.fs_unlink(folder .. "/" .. name))
  end
  assert(uv.fs_rmdir(folder))
end

describe("another user", function()
  local folder

  before_each(function()
    support.enter()
    folder = publish()
    assert(uv.fs_chmod(support.directory(), tonumber("1777", 8)))
  end)

  after_each(function()
    withdraw(folder)
    support.leave()
  end)

  -- Runs the arguments of lua5.4 as the other user.
  local function as_other(...)
    return support.spawn("setpriv", {
      "--reuid", tostring(OTHER), "--regid", tostring(OTHER), "--clear-groups",
      uv.exepath(), ...
    }, { env = { LUA_CPATH_5_4 = folder .. "/?.so;;", LUA_PATH_5_4 = folder .. "/?.lua;;" } })
  end

  local function run_as_other(code)
    return as_other("-e", "local mailslot = require 'mailslot' " .. code)
  end

  local function need_root()
    if uv.getuid() ~= 0 then
      pending("only root can become other users")
      return false
    end
    return true
  end

  it("sends, and the kernel says who it is", function()
    if not need_root() then return end
    local slot <close> = assert(mailslot.create("jobs", { mode = "0622" }))
    local child = run_as_other [[
      assert(mailslot.send("jobs", "one"))
      local writer = assert(mailslot.open("jobs"))
      assert(writer:send_all { "two", ("x"):rep(100000) } == 2)
      print(writer:info())
    ]]
    child:succeed()
    assert.equal("nil\tmailslot 'jobs': permission denied: it belongs to user root (uid 0)"
      .. "\tEACCES\n", child.out)
    assert.equal(3, #slot)
    local messages = slot:read_all { meta = true }
    assert.same({ "one", "two", ("x"):rep(100000) },
      { messages[1].data, messages[2].data, messages[3].data })
    for i, message in ipairs(messages) do
      assert.same({ OTHER, OTHER, child.pid, i },
        { message.uid, message.gid, message.pid, message.seq })
    end
    assert.equal("0622", slot:info().mode)
  end)

  it("wakes a slot that waits", function()
    if not need_root() then return end
    local slot <close> = assert(mailslot.create("jobs", { mode = "0602" }))
    local child = run_as_other "assert(mailslot.send('jobs', 'hello'))"
    assert.equal("hello", slot:read(support.DEADLINE))
    child:succeed()
  end)

  it("is refused by a slot of the default mode, which says whose it is", function()
    if not need_root() then return end
    local slot <close> = assert(mailslot.create("jobs"))
    local child = run_as_other "print(mailslot.send('jobs', 'hello'))"
    child:succeed()
    assert.equal("nil\tmailslot 'jobs': permission denied: it belongs to user root (uid 0)"
      .. "\tEACCES\n", child.out)
    assert.equal(0, #slot)
  end)

  it("gets in with the group", function()
    if not need_root() then return end
    for _, group in ipairs { OTHER, "nogroup" } do
      local slot <close> = assert(mailslot.create("jobs", { mode = "0620", group = group }))
      run_as_other("assert(mailslot.send('jobs', 'hello'))"):succeed()
      assert.equal("hello", slot:read(0))
    end
    local slot <close> = assert(mailslot.create("jobs", { mode = "0620", group = "root" }))
    run_as_other("assert(not mailslot.send('jobs', 'hello'))"):succeed()
    assert.equal(0, #slot)
  end)

  it("fills only its share", function()
    if not need_root() then return end
    local slot <close> = assert(mailslot.create("jobs",
      { mode = "0622", max_bytes = 1 << 20, user_max_bytes = 1 << 16 }))
    run_as_other([[
      local writer, code = assert(mailslot.open("jobs")), nil
      repeat _, _, code = writer:send(("x"):rep(1000)) until code
      assert(code == "EAGAIN", code)
    ]]):succeed()
    local bytes = slot:info().bytes
    assert.is_true(bytes > 1 << 15 and bytes <= 1 << 16, bytes)
    assert(mailslot.send("jobs", ("x"):rep(100000)))
  end)

  it("uses client.lua", function()
    if not need_root() then return end
    local slot <close> = assert(mailslot.create("HelloWorld", { mode = "0622" }))
    as_other(folder .. "/client.lua", "hello", "there"):succeed()
    assert.same({ "hello", "there" }, slot:read_all())
  end)

  it("sends to a server.lua that lets it", function()
    if not need_root() then return end
    for _, options in ipairs {
      { "-m", "0622" }, { "--mode", "0602" }, { "-m", "0620", "--group", "nogroup" },
      { "-m", "0622", "-g", tostring(OTHER) },
    } do
      local server = scripts.serving("--follow", "-n", "1", "-F", "raw", table.unpack(options))
      as_other(folder .. "/client.lua", "hello"):succeed()
      assert.equal(0, scripts.finish(server))
      assert.equal("hello", server.out)
    end
  end)

  it("cannot send to a server.lua that does not", function()
    if not need_root() then return end
    for _, options in ipairs { {}, { "-m", "0600" }, { "-m", "0620" } } do
      local server = scripts.serving("--follow", "-n", "1", "-F", "raw", table.unpack(options))
      local client = as_other(folder .. "/client.lua", "hello")
      assert.equal(1, scripts.finish(client))
      assert.equal("client.lua: mailslot 'HelloWorld': permission denied: "
        .. "it belongs to user root (uid 0)\n", client.err)
      assert(mailslot.send("HelloWorld", "end"))
      assert.equal(0, scripts.finish(server))
      assert.equal("end", server.out)
    end
  end)

  it("hears at once whose dead slot has the name", function()
    if not need_root() then return end
    local theirs = "nil\tmailslot 'jobs': permission denied: it belongs to user root (uid 0)"
      .. "\tEACCES\n"
    for _, mode in ipairs { "0600", "0622" } do
      local owner = support.spawn("lua5.4", { "-e", ([[
        local slot = assert(require("mailslot").create("jobs", { mode = "%s" }))
        print(slot)
        io.stdout:flush()
        io.read()
      ]]):format(mode) }, { env = { LUA_CPATH_5_4 = folder .. "/?.so;;" } })
      owner:expect("mailslot (jobs)")
      owner:kill("sigkill")
      owner:finish()
      assert.is_true(#support.files() > 0)
      local child = run_as_other [[
        print(mailslot.create("jobs"))
        print(mailslot.info("jobs"))
        print(mailslot.send("jobs", "hello", math.huge))
      ]]
      local seconds = support.time(child.succeed, child)
      assert.is_true(seconds < 5, seconds)
      local missing = "nil\tmailslot 'jobs': no process owns this slot\tENOENT\n"
      assert.equal(theirs .. (mode == "0600" and theirs .. theirs or missing .. missing),
        child.out)
      assert(mailslot.create("jobs")):close()
      assert.same({}, support.files())
    end
  end)

  it("hears at once that its own file has the name", function()
    if not need_root() then return end
    local path = support.directory() .. "/mailslot.jobs"
    for kind, command in pairs { file = ": >", fifo = "mkfifo ", link = "ln -s / " } do
      local planted = as_other("-e", ("assert(os.execute('%s%s'))"):format(command, path))
      planted:succeed()
      local expected = kind == "link" and "mailslot 'jobs': damaged, or not a mailslot"
        or "mailslot 'jobs': permission denied: it belongs to user nobody (uid 65534)"
      local seconds = support.time(function()
        assert.equal(expected, select(2, mailslot.create("jobs")))
        assert.equal(expected, select(2, mailslot.send("jobs", "x", math.huge)))
        assert.equal(expected, select(2, mailslot.info("jobs")))
      end)
      assert.is_true(seconds < 5, kind)
      assert(uv.fs_unlink(path))
    end
  end)

  it("raises for a group that there is not", function()
    assert.error_matches(function()
      mailslot.create("jobs", { mode = "0620", group = "no such group" })
    end, "bad argument #2 .*there is no group 'no such group'")
    assert.same({}, support.files())
  end)
end)
