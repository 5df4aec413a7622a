-- SPDX-License-Identifier: MIT
-- What an installation holds, and that all of it works from elsewhere.

local support = require "tests.spec.support"
local uv = require "luv"

local BUILD = os.getenv("MAILSLOT_BUILD") or "build/dev"

local PROJECT = [[
cmake_minimum_required(VERSION 3.25)
project(ask C)
find_package(mailslot 0.1 REQUIRED)
add_executable(shared %s)
target_link_libraries(shared mailslot::mailslot)
add_executable(static %s)
target_link_libraries(static mailslot::mailslot_static)
]]

-- Runs a command line in the folder; it must succeed. Returns what it printed.
local function shell(command, folder)
  local child = support.spawn("sh", { "-ec", command }, { cwd = folder })
  child:succeed(120)
  return child.out
end

describe("an installation", function()
  local source = assert(uv.fs_realpath("."))
  local folder, prefix

  setup(function()
    folder = assert(uv.fs_mkdtemp("/tmp/mailslot-install-XXXXXX"))
    prefix = folder .. "/prefix"
    shell(("cmake --install '%s' --prefix '%s'"):format(BUILD, prefix))
  end)

  teardown(function()
    shell(("rm -r '%s'"):format(folder))
  end)

  before_each(support.enter)
  after_each(support.leave)

  -- Starts a program of the installation; the module of the build is not in its reach.
  local function start(program, arguments, cpath)
    return support.spawn(program, arguments, {
      cwd = "/",
      env = { LUA_CPATH_5_4 = cpath or false, LUA_CPATH = false, MAILSLOT = false,
              LD_LIBRARY_PATH = prefix .. "/lib" },
    })
  end

  local function is_served(slot)
    local path = ("%s/mailslot.%s"):format(support.directory(), slot)
    support.await(function()
      return uv.fs_stat(path)
    end, "slot " .. slot)
  end

  local function maps(pid, path)
    local file <close> = assert(io.open(("/proc/%d/maps"):format(pid)))
    return file:read("a"):find(path, 1, true) ~= nil
  end

  -- The program, built from ask.c, gets its answer from shout.lua and the installed module.
  local function check_ask(program)
    local script = start("lua5.4", { source .. "/examples/shout.lua" },
      prefix .. "/lib/lua/5.4/?.so")
    is_served("questions")
    local second = start("lua5.4", { source .. "/examples/shout.lua" },
      prefix .. "/lib/lua/5.4/?.so")
    assert.equal(1, (second:finish()))
    assert.equal("shout.lua: mailslot 'questions': another owner serves this name\n", second.err)
    local ask = start(program, { "is it you?" })
    ask:expect("IS IT YOU?")
    ask:succeed()
    script:kill("sigterm")
    script:finish()
    local failing = start(program, {})
    assert.equal(1, (failing:finish()))
    assert.matches("no process owns this slot", failing.err)
  end

  it("holds these files", function()
    local files = {}
    for path in shell("find . ! -type d | sort", prefix):gmatch("%./([^\n]*)") do
      local name = path:gsub("%d+%.%d+%.%d+$", "VERSION"):gsub("%-%l+%.cmake$", "-TYPE.cmake")
      files[#files + 1] = name
    end
    assert.same({
      "bin/mailslot-client",
      "bin/mailslot-gateway",
      "bin/mailslot-server",
      "include/mailslot.h",
      "lib/cmake/mailslot/mailslot-TYPE.cmake",
      "lib/cmake/mailslot/mailslot.cmake",
      "lib/cmake/mailslot/mailslotConfig.cmake",
      "lib/cmake/mailslot/mailslotConfigVersion.cmake",
      "lib/libmailslot.a",
      "lib/libmailslot.so",
      "lib/libmailslot.so.0",
      "lib/libmailslot.so.VERSION",
      "lib/lua/5.4/mailslot.so",
      "lib/pkgconfig/mailslot.pc",
      "lib/systemd/system/mailslot-gateway.service",
      "share/doc/mailslot/gateway.lua",
      "share/lua/5.4/mailslot_cli.lua",
      "share/man/man1/mailslot-gateway.1",
    }, files)
  end)

  it("serves a C program that uses pkg-config", function()
    shell(([[
      PKG_CONFIG_PATH='%s/lib/pkgconfig'
      export PKG_CONFIG_PATH
      cc -Wall -Werror '%s/examples/ask.c' $(pkg-config --cflags --libs mailslot) -o ask
    ]]):format(prefix, source), folder)
    check_ask(folder .. "/ask")
  end)

  it("serves a C program that uses find_package", function()
    local example = source .. "/examples/ask.c"
    assert(uv.fs_mkdir(folder .. "/project", 493))
    local file = assert(io.open(folder .. "/project/CMakeLists.txt", "w"))
    file:write(PROJECT:format(example, example))
    file:close()
    shell(("cmake -G Ninja -B build -DCMAKE_PREFIX_PATH='%s' && cmake --build build"):format(
      prefix), folder .. "/project")
    check_ask(folder .. "/project/build/shared")
    check_ask(folder .. "/project/build/static")
  end)

  it("has scripts that find its module from any folder", function()
    local server = start(prefix .. "/bin/mailslot-server", { "--follow", "--count", "1" })
    is_served("helloworld")
    local lost = start(prefix .. "/bin/mailslot-client", { "-s", "jobs", "hello" })
    assert.equal(3, (lost:finish()))
    assert.matches("first run mailslot%-server %-s jobs\n$", lost.err)
    assert.is_true(maps(server.pid, prefix .. "/lib/lua/5.4/mailslot.so"))
    start(prefix .. "/bin/mailslot-client", { "hello" }):succeed()
    server:expect("Checking new messages...")
    server:expect("Message #1: hello")
    server:succeed()
  end)
end)
