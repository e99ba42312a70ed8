local file = assert(io.open("made.txt", "w+"))
file:setvbuf("full", 1000)
for i = 1, 20000 do file:write(i, " ", i * i % 1009, "\n") end
print(file:seek("cur"), file:seek("end"))
file:seek("set")
local n, sum = 0, 0
for a, b in file:lines("n", "n") do n, sum = n + 1, sum + b end
print(n, sum)
file:close()
print(pcall(file.read, file))
for line in io.lines("made.txt") do last = line end
print(last)
print(os.rename("made.txt", "other.txt"), io.open("made.txt"))
print(os.remove("other.txt"))
print(os.remove("other.txt"))
print(io.open("input.txt"):read("l", "n", 4, "L"))
print(os.time({year = 2001, month = 9, day = 9, hour = 1, min = 46, sec = 40}) > 0)
print(os.date("!%Y-%m-%d %H:%M:%S", 1000000000))
print(os.clock() >= 0, os.getenv("PATH"))
io.stderr:write("to standard error\n")
local name = os.tmpname and "tmpname" or ""
print(name)
