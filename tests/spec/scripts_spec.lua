-- SPDX-License-Identifier: MIT
-- What holds for both scripts: how they find what they need, what they say when it is not
-- there, which slot they take, and usage.

local mailslot = require("mailslot")
local support = require("tests.spec.support")
local scripts = require("tests.spec.scripts")
local uv = require("luv")

-- Environment in which only the paths that lua5.4 has built in are searched.
local PLAIN = { LUA_PATH = false, LUA_CPATH = false, LUA_PATH_5_4 = false, LUA_CPATH_5_4 = false }

local function with(base, changes)
  local all = {}
  for name, value in pairs(base) do
    all[name] = value
  end
  for name, value in pairs(changes) do
    all[name] = value
  end
  return all
end

-- Runs a program to its end; returns the exit status, its output and its errors.
local function run(program, arguments, options)
  local child = support.spawn(program, arguments, options)
  local status = child:finish()
  return status, child.out, child.err
end

local function link_module(name, path, folder)
  local file = assert(package.searchpath(name, path))
  assert(uv.fs_symlink(uv.fs_realpath(file), folder .. "/" .. file:match("[^/]*$")))
end

local function make_broken_module(folder)
  assert(io.open(folder .. "/mailslot.so", "w")):close()
end

for _, name in ipairs({ "server.lua", "client.lua" }) do
  describe(name, function()
    before_each(support.enter)
    after_each(support.leave)

    local function refuses(pattern, arguments, env)
      local script = scripts.start(name, arguments or {}, { env = env })
      assert.equal(1, script:finish())
      assert.equal("", script.out)
      assert.truthy(script.err:find("^" .. pattern .. "\n$"), script.err)
    end

    local function says_usage(...)
      local script = scripts.start(name, { ... })
      assert.equal(2, script:finish(), table.concat({ ... }, " "))
      assert.equal("", script.out)
      return script.err
    end

    it("prints help with examples on standard output", function()
      local script = scripts.start(name, { "--help" })
      script:succeed()
      assert.truthy(script.out:find("^Usage: " .. name))
      assert.truthy(script.out:find("Examples:\n", 1, true))
      assert.truthy(script.out:find("Exit status: 0 done, 1 failure, 2 usage", 1, true))
      assert.equal("", script.err)
      assert.truthy(script.out:find("\n   %-s NAME,  +Name of the slot; "))
      for line in script.out:gmatch("[^\n]+") do
        assert.is_true(#line <= 84, line)
      end
    end)

    it("exits with 2 and says how to use it when it is misused", function()
      assert.truthy(says_usage("--nonsense"):find(
        "^Usage: " .. name .. ".*\n" .. name .. ": unknown option '%-%-nonsense'\n$"))
      says_usage("--wait", "soon")
      says_usage("--wait", "-1")
      says_usage("--wait", "1e99")
      says_usage("--slot")
    end)

    it("exits with 2 when the name is not one of a slot", function()
      for _, slot in ipairs({ "", "a.", "\\\\.\\pipe\\x", ("x"):rep(247), "a\nb" }) do
        local errors = says_usage("-s", slot)
        assert.truthy(errors:find("^" .. name .. ": [^\n]*\n$"), errors)
      end
    end)

    it("names lua5.4 in one line when another Lua runs it", function()
      local status, out, errors = run("lua5.1", { scripts.folder .. "/" .. name },
        { env = PLAIN })
      assert.equal(1, status)
      assert.equal("", out)
      assert.equal(name .. ": needs Lua 5.4, this is Lua 5.1: run it with lua5.4\n", errors)
    end)

    it("names the Debian package of a Lua module that is missing", function()
      refuses(name .. ": needs the Lua module luv: apt%-get install lua%-luv", {},
        with(PLAIN, { LUA_INIT = "package.cpath = ''" }))
      refuses(name .. ": needs the Lua module argparse: apt%-get install lua%-argparse", {},
        with(PLAIN, { LUA_INIT = "package.path = ''" }))
    end)

    it("says that a search path leaves out the usual folders", function()
      local hint = " %(end it with ;; to search the usual folders, too%)"
      refuses(name .. ": cannot find the Lua module luv in LUA_CPATH=/nowhere/%?.so" .. hint, {},
        with(PLAIN, { LUA_CPATH_5_4 = "/nowhere/?.so" }))
      refuses(name .. ": cannot find the Lua module argparse in LUA_PATH=/nowhere/%?.lua" .. hint,
        {}, with(PLAIN, { LUA_PATH_5_4 = "/nowhere/?.lua" }))
    end)

    it("says in one line what to do when there is no mailslot module", function()
      scripts.with_folder(function(folder)
        scripts.copy(folder)
        link_module("luv", package.cpath, folder)
        local script = support.spawn("lua5.4", { folder .. "/scripts/" .. name },
          { env = with(PLAIN, { LUA_CPATH_5_4 = folder .. "/?.so" }) })
        assert.equal(1, (script:finish()))
        assert.equal(name .. ": cannot find the mailslot module: "
          .. "run scripts/run once to build it\n", script.err)
        make_broken_module(folder)
        script = support.spawn("lua5.4", { folder .. "/scripts/" .. name },
          { env = with(PLAIN, { LUA_CPATH_5_4 = folder .. "/?.so" }) })
        assert.equal(1, (script:finish()))
        assert.truthy(script.err:find(
          "^" .. name .. ": cannot load the mailslot module: [^\n]*mailslot.so[^\n]*\n$"))
      end)
    end)

    it("finds the checkout's builds from everywhere, the release build first", function()
      scripts.with_folder(function(folder)
        scripts.copy(folder)
        local release, dev = folder .. "/build/release/lua", folder .. "/build/dev/lua"
        for _, path in ipairs({ "/build", "/build/release", "/build/dev" }) do
          assert(uv.fs_mkdir(folder .. path, 493))
        end
        assert(uv.fs_mkdir(release, 493))
        assert(uv.fs_mkdir(dev, 493))
        assert(uv.fs_symlink(folder .. "/scripts/" .. name, folder .. "/shortcut"))
        local slot = assert(mailslot.create("other"))
        -- A taken or a missing slot: either script has loaded the module when it says so.
        local arguments = name == "server.lua" and { "-s", "other" } or { "hello" }
        local function status(program, cwd)
          return (run("lua5.4", { program, table.unpack(arguments) },
            { env = with(PLAIN, { MAILSLOT = false }), cwd = cwd }))
        end

        link_module("mailslot", package.cpath, release)
        make_broken_module(dev)
        assert.equal(3, status(name, folder .. "/scripts"))
        assert.equal(3, status("scripts/" .. name, folder))
        assert.equal(3, status(folder .. "/scripts/" .. name, "/"))
        assert.equal(3, status("shortcut", folder))
        assert.equal(3, status(folder .. "/shortcut", "/"))

        assert(uv.fs_unlink(release .. "/mailslot.so"))
        assert.equal(1, status(name, folder .. "/scripts"))
        assert(uv.fs_unlink(dev .. "/mailslot.so"))
        link_module("mailslot", package.cpath, dev)
        assert.equal(3, status(name, folder .. "/scripts"))
        slot:close()
      end)
    end)

    it("can be run as a program", function()
      local status, out = run(scripts.folder .. "/" .. name, { "--help" })
      assert.equal(0, status)
      assert.truthy(out:find("^Usage: "))
    end)
  end)
end

describe("the scripts", function()
  before_each(support.enter)
  after_each(support.leave)

  -- Both scripts with these options and this environment meet in this slot.
  local function meet_in(slot, options, env)
    local server = scripts.start("server.lua", { "--follow", "-1", "-v", table.unpack(options) },
      { env = env })
    scripts.await(server, "err", "is created")
    assert.truthy(mailslot.info(slot), "no slot " .. slot)
    local arguments = { "hello", table.unpack(options) }
    assert.equal(0, scripts.finish(scripts.start("client.lua", arguments, { env = env })))
    assert.equal(0, scripts.finish(server))
    assert.truthy(server.out:find("Message #1: hello\n", 1, true))
  end

  it("meet in HelloWorld", function()
    meet_in("HelloWorld", {})
    meet_in("HelloWorld", {}, { MAILSLOT = "" })
  end)

  it("meet in the slot that $MAILSLOT names", function()
    meet_in("jobs", {}, { MAILSLOT = "jobs" })
  end)

  it("meet in the slot that --slot names, whatever $MAILSLOT says", function()
    meet_in("jobs", { "--slot", "jobs" }, { MAILSLOT = "other" })
    meet_in("jobs", { "-s", "\\\\.\\mailslot\\JOBS" })
  end)

  it("exit with 2 for options that exclude each other", function()
    for _, line in ipairs({ "client.lua -0 -w", "client.lua --sample hello", "client.lua -w hello",
      "client.lua -0 hello", "server.lua -F raw -T", "server.lua -F raw --meta",
      "server.lua -F xml", "server.lua -i 0", "server.lua -n 0", "server.lua -n 1.5",
      "server.lua hello" }) do
      local script = scripts.shell("lua5.4 $S/" .. line)
      assert.equal(2, script:finish(), line)
    end
  end)

  it("exit with 1 when there is no folder for the slots", function()
    local server = scripts.start("server.lua", {}, { env = { MAILSLOT_DIR = "/nowhere" } })
    assert.equal(1, scripts.finish(server))
    assert.truthy(server.err:find("^server.lua: [^\n]*\n$"))
  end)

  it("blame no name for a folder that is not an absolute path", function()
    local server = scripts.start("server.lua", {}, { env = { MAILSLOT_DIR = "here" } })
    scripts.finish(server)
    assert.truthy(server.err:find("MAILSLOT_DIR must be an absolute path", 1, true))
  end)

  it("name the Debian package when JSON is asked for and dkjson is missing", function()
    scripts.with_folder(function(folder)
      link_module("argparse", package.path, folder)
      local server = scripts.start("server.lua", { "-F", "json" },
        { env = { LUA_INIT = ("package.path = '%s/?.lua'"):format(folder) } })
      assert.equal(1, scripts.finish(server))
      assert.equal("server.lua: needs the Lua module dkjson: apt-get install lua-dkjson\n",
        server.err)
    end)
  end)
end)
