-- SPDX-License-Identifier: MIT
-- What the specs share: a registry of its own for each test, child processes, deadlines, and
-- what a test must not leave behind.
--
--   local support = require "tests.spec.support"
--   describe("...", function()
--     before_each(support.enter)
--     after_each(support.leave)
--
-- A child is a new process. Parent and child talk through pipes; whatever is waited for has
-- a deadline, and what does not happen until then is an error.

local uv = require "luv"

local support = {}

-- Seconds that anything may take that has no shorter limit of its own.
support.DEADLINE = 30

-- A child that has ended does not take its input any more; by default that would end this
-- process, too.
local broken_pipe = uv.new_signal()
broken_pipe:start("sigpipe", function() end)
broken_pipe:unref()

local children = {}
local directory, open_before, mapped_before

local function turn_until(is_done, seconds)
  local is_over = false
  local deadline, tick = uv.new_timer(), uv.new_timer()
  uv.update_time()
  deadline:start(math.ceil(seconds * 1000), 0, function()
    is_over = true
  end)
  tick:start(2, 2, function() end)
  local result = is_done()
  while not is_over and not result do
    uv.run("once")
    result = is_done()
  end
  deadline:close()
  tick:close()
  uv.run("nowait") -- luv must not be closed before they are
  return result
end

-- Waits until condition() holds and returns what it returned.
function support.await(condition, what, seconds)
  local result = turn_until(condition, seconds or support.DEADLINE)
  if not result then
    error("waited in vain for " .. what, 2)
  end
  return result
end

function support.now()
  return uv.hrtime() / 1e9
end

-- Calls f and returns the seconds it took, then its results.
function support.time(f, ...)
  local start = support.now()
  local results = table.pack(f(...))
  return support.now() - start, table.unpack(results, 1, results.n)
end

-- Children

local child_methods = {}
child_methods.__index = child_methods

local function describe_end(child)
  return ("it ended with status %s, signal %s, and said: %s%s"):format(
    child.status, child.signal, child.out, child.err)
end

-- The next line that the child prints.
function child_methods:line(seconds)
  local function find()
    return self.out:find("\n", 1, true) or self.is_out_closed
  end
  turn_until(find, seconds or support.DEADLINE)
  local line, rest = self.out:match("^(.-)\n(.*)$")
  if not line then
    error("waited in vain for a line: " .. describe_end(self), 2)
  end
  self.out = rest
  return line
end

-- Like line, but the line must be this one.
function child_methods:expect(expected, seconds)
  local line = self:line(seconds)
  if line ~= expected then
    error(("the child said %q, not %q"):format(line, expected), 2)
  end
end

function child_methods:write(text)
  self.input:write(text)
end

function child_methods:close_input()
  if not self.input:is_closing() then
    self.input:shutdown(function()
      if not self.input:is_closing() then
        self.input:close()
      end
    end)
  end
end

function child_methods:kill(signal)
  assert(uv.process_kill(self.process, signal or "sigkill"))
end

-- Sleeps in the kernel, as in a wait.
function child_methods:await_sleep()
  support.await(function()
    local file <close> = assert(io.open(("/proc/%d/stat"):format(self.pid)))
    return file:read("a"):match("%) (%a)") == "S"
  end, "a sleeping child")
end

-- Closes the child's input and waits until it has ended. Returns its exit status and the
-- number of the signal that ended it (0: none). What it said and line did not return is then
-- in child.out; what it wrote to standard error, in child.err.
function child_methods:finish(seconds)
  self:close_input()
  if not turn_until(function()
    return self.is_over
  end, seconds or support.DEADLINE) then
    error("the child does not end", 2)
  end
  children[self] = nil
  return self.status, self.signal
end

-- For children of which nothing but success is expected.
function child_methods:succeed(seconds)
  local status, signal = self:finish(seconds)
  if status ~= 0 or signal ~= 0 then
    error("the child failed: " .. describe_end(self), 2)
  end
end

local function gather(child, stream, key)
  child.open = child.open + 1
  stream:read_start(function(failure, chunk)
    if chunk then
      child[key] = child[key] .. chunk
      return
    end
    assert(not failure, failure)
    child["is_" .. key .. "_closed"] = true
    stream:close()
    child:count_down()
  end)
end

-- Over is a child that has ended and whose output has been read to its end.
function child_methods:count_down()
  self.open = self.open - 1
  self.is_over = self.open == 0
end

local function environment(changes)
  local variables = uv.os_environ()
  for name, value in pairs(changes or {}) do
    variables[name] = value or nil
  end
  local list = {}
  for name, value in pairs(variables) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

-- Starts a program with arguments. options.env: variables that differ from those of this
-- process, false to remove one; options.cwd: its folder.
function support.spawn(program, arguments, options)
  options = options or {}
  local child = setmetatable({ out = "", err = "", open = 1 }, child_methods)
  local out, err = uv.new_pipe(false), uv.new_pipe(false)
  child.input = uv.new_pipe(false)
  child.process, child.pid = uv.spawn(program, {
    args = arguments,
    env = environment(options.env),
    cwd = options.cwd,
    stdio = { child.input, out, err },
  }, function(status, signal)
    child.status, child.signal = status, signal
    child.process:close()
    child:count_down()
  end)
  assert(child.process, child.pid)
  gather(child, out, "out")
  gather(child, err, "err")
  children[child] = true
  return child
end

-- Starts a new lua5.4 that runs code with the module in `mailslot`.
function support.lua(code, options)
  local prelude = ([[
    package.path, package.cpath = %q, %q
    io.stdout:setvbuf("line")
    mailslot = require "mailslot"
  ]]):format(package.path, package.cpath):gsub("\\\n", "\\n"):gsub("\n", " ")
  return support.spawn(uv.exepath(), { "-e", prelude .. code }, options)
end

-- What must not be left

-- The number of open descriptors of this process.
function support.descriptors()
  local count, entries = 0, assert(uv.fs_scandir("/proc/self/fd"))
  while uv.fs_scandir_next(entries) do
    count = count + 1
  end
  return count
end

-- The number of entries in this process's list of mappings, and the bytes that slots, writers
-- and their handles map: files of the registry, and memory that a forked child would not see.
function support.mappings()
  local count, bytes, size = 0, 0, 0
  for line in io.lines("/proc/self/smaps") do
    local from, to, path = line:match("^(%x+)%-(%x+) %S+ %S+ %S+ %S+ *(.*)$")
    if from then
      count = count + 1
      size = tonumber(to, 16) - tonumber(from, 16)
      if path:find(directory, 1, true) then
        bytes, size = bytes + size, 0
      end
    elseif line:find("^VmFlags:.* wf") then
      bytes, size = bytes + size, 0
    end
  end
  return count, bytes
end

-- The names in the registry.
function support.files()
  local names, entries = {}, assert(uv.fs_scandir(directory))
  for name in uv.fs_scandir_next, entries do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

function support.directory()
  return directory
end

local function stop_children()
  local count = 0
  for child in pairs(children) do
    count = count + 1
    if not child.process:is_closing() then
      child:kill("sigkill")
    end
    child:finish()
  end
  return count
end

local function close_loop()
  support.await(function()
    local count = 0
    uv.walk(function(handle)
      if handle:is_closing() then
        count = count + 1
      end
    end)
    return count == 0
  end, "closed handles")
end

-- For before_each.
function support.enter()
  directory = assert(uv.fs_mkdtemp("/dev/shm/mailslot-spec-XXXXXX"))
  assert(uv.os_setenv("MAILSLOT_DIR", directory))
  open_before = support.descriptors()
  mapped_before = select(2, support.mappings())
end

-- For after_each: nothing may be left.
function support.leave()
  local running = stop_children()
  close_loop()
  collectgarbage()
  collectgarbage()
  local _, mapped = support.mappings()
  local files, open = support.files(), support.descriptors()
  for _, name in ipairs(files) do
    assert(uv.fs_unlink(directory .. "/" .. name))
  end
  assert(uv.fs_rmdir(directory))
  assert(uv.os_unsetenv("MAILSLOT_DIR"))
  assert(running == 0, "a child was left behind")
  assert(#files == 0, "left in the registry: " .. table.concat(files, ", "))
  assert(open == open_before, ("%d open descriptors became %d"):format(open_before, open))
  assert(mapped == mapped_before, "a slot or a writer is still mapped")
end

-- The event loop opens descriptors of its own for the first child.
support.spawn("/bin/true", {}):succeed()

return support
