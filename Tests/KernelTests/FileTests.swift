import FakePlatform
import LinuxABI
import Platform
import Testing

@testable import Kernel

/// Runs `body` with a process whose root is an empty tmpfs, and the program's file in it.
func withFiles(
    program: [UInt8] = Array("#!program".utf8),
    _ configure: (inout RootSettings) -> Void = { _ in },
    _ body: (Process) throws -> Void
) throws {
    try withMachine {
        user_low_end = 1 << 47
        TimerQueue.start()
        Streams.start()
        Tasks.start()
        // The test's own stack stands in for the thread's: nothing here waits.
        let (process, thread) = try Process.create()
        cpu_current().pointee.thread = Unmanaged.passUnretained(thread).toOpaque()
        FakePlatform.images[PLATFORM_IMAGE_PROGRAM.rawValue] = FakeImage(program)
        var settings = RootSettings()
        settings.programPath = Array("/bin/program".utf8)
        settings.programSize = program.count
        configure(&settings)
        try VFS.start(settings, process)
        try body(process)
    }
}

extension String {
    /// Lends the bytes as a path.
    func path<Result>(_ body: (VFS.Place) throws -> Result) rethrows -> Result {
        var copy = self
        return try copy.withUTF8 { try body(VFS.Place(UnsafeRawBufferPointer($0))) }
    }
}

func open(_ path: String, _ flags: OpenFlags = [], mode: UInt32 = 0o644) throws -> OpenFile {
    try path.path { try VFS.open($0, Process.current, flags, mode: mode) }
}

func write(_ file: OpenFile, _ bytes: [UInt8]) throws -> Int {
    try bytes.withUnsafeBytes { bytes in
        var transfer = Transfer(kernel: bytes)
        return try file.writeWaiting(&transfer)
    }
}

func status(_ path: String, _ process: Process) throws -> FileStatus {
    var status = FileStatus()
    try path.path { try VFS.status($0, process, follow: true, &status) }
    return status
}

func read(_ file: OpenFile, _ count: Int = 4096) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0xee, count: count)
    let done = try buffer.withUnsafeMutableBytes { bytes in
        var transfer = Transfer(kernel: UnsafeRawBufferPointer(bytes))
        return try file.readWaiting(&transfer)
    }
    return Array(buffer[..<done])
}

func fails(_ error: Errno, _ body: () throws -> Void) -> Bool {
    do { try body() } catch let thrown as Errno { return thrown == error } catch { return false }
    return false
}

@Suite(.serialized) struct FileTests {
    @Test func aFileHoldsWhatWasWritten() throws {
        try withFiles { process in
            let file = try open("/tmp/a", [.create, .readWrite])
            #expect(try write(file, Array("hello".utf8)) == 5)
            _ = try file.seek(0, .start)
            #expect(try read(file) == Array("hello".utf8))
            #expect(try file.status().size == 5)
            #expect(fails(.fileExists) { _ = try open("/tmp/a", [.create, .exclusive]) })
            #expect(fails(.noSuchFileOrDirectory) { _ = try open("/tmp/b") })
            #expect(fails(.notDirectory) { _ = try open("/tmp/a/b") })
            #expect(fails(.notDirectory) { _ = try open("/tmp/a/") })
            #expect(fails(.isDirectory) { _ = try open("/tmp", .writeOnly) })
        }
    }

    @Test func aLargeSparseFileReadsAsWritten() throws {
        try withFiles { process in
            let file = try open("/tmp/a", [.create, .readWrite])
            var seed: UInt64 = 1
            var model: [Int: UInt8] = [:]
            for _ in 0..<300 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let offset = Int(seed >> 40) % (3 << 20)
                let bytes = (0..<Int(seed >> 20 & 0x1fff)).map {
                    UInt8(truncatingIfNeeded: $0 ^ offset)
                }
                _ = try file.seek(offset, .start)
                #expect(try write(file, bytes) == bytes.count)
                for (index, byte) in bytes.enumerated() { model[offset + index] = byte }
            }
            let size = Int(try file.status().size)
            _ = try file.seek(0, .start)
            let bytes = try read(file, size + 10)
            #expect(bytes.count == size)
            #expect(bytes.enumerated().allSatisfy { model[$0.offset] ?? 0 == $0.element })
        }
    }

    @Test func theProgramAppearsAtItsPathAndCanBeWrittenOver() throws {
        try withFiles { process in
            #expect(try read(open("/bin/program")) == Array("#!program".utf8))
            let file = try open("/bin/program", .readWrite)
            _ = try write(file, Array("X".utf8))
            #expect(try read(open("/bin/program")) == Array("X!program".utf8))
        }
    }

    @Test func linksAreFollowedUpToFortyTimes() throws {
        try withFiles { process in
            func link(_ target: String, _ path: String) throws {
                try target.path { target in
                    try path.path { try VFS.makeSymbolicLink(to: target.path, $0, process) }
                }
            }
            _ = try open("/tmp/end", [.create])
            try link("end", "/tmp/0")
            for index in 1...45 { try link("\(index - 1)", "/tmp/\(index)") }
            _ = try open("/tmp/39")
            #expect(fails(.tooManySymbolicLinks) { _ = try open("/tmp/40") })
            #expect(fails(.tooManySymbolicLinks) { _ = try open("/tmp/0", .noFollow) })
            try link("/tmp", "/tmp/up")
            #expect(
                try status("/tmp/up/up/end", process).mode == 0o100644
            )
            try link("new", "/tmp/dangling")
            _ = try open("/tmp/dangling", [.create])
            _ = try open("/tmp/new")
        }
    }

    @Test func namesAreMovedRemovedAndCounted() throws {
        try withFiles { process in
            _ = try open("/tmp/a", [.create])
            try "/tmp/d".path { try VFS.makeDirectory($0, process, mode: 0o755) }
            try "/tmp/a".path { old in try "/tmp/d/b".path { try VFS.link(old, $0, process, []) } }
            #expect(try status("/tmp/a", process).links == 2)
            #expect(
                fails(.directoryNotEmpty) {
                    try "/tmp/d".path { try VFS.removeDirectory($0, process) }
                }
            )
            try "/tmp/d".path { old in try "/tmp/e".path { try VFS.rename(old, $0, process, []) } }
            #expect(
                fails(.invalidArgument) {
                    try "/tmp/e".path { old in
                        try "/tmp/e/f".path { try VFS.rename(old, $0, process, []) }
                    }
                }
            )
            try "/tmp/e/b".path { try VFS.unlink($0, process) }
            #expect(try status("/tmp/a", process).links == 1)
            try "/tmp/e".path { try VFS.removeDirectory($0, process) }
            #expect(
                fails(.noSuchFileOrDirectory) {
                    try "/tmp/e".path { try VFS.changeDirectory($0, process) }
                }
            )
        }
    }

    @Test func manyNamesAreFoundAndListedOnce() throws {
        try withFiles { process in
            for index in 0..<2000 { _ = try open("/tmp/file\(index)", [.create]) }
            for index in stride(from: 0, to: 2000, by: 2) {
                try "/tmp/file\(index)".path { try VFS.unlink($0, process) }
            }
            for index in 0..<2000 {
                let isThere = (try? open("/tmp/file\(index)")) != nil
                #expect(isThere == (index % 2 == 1))
            }
            let directory = try "/tmp".path { try VFS.resolve($0, process) }
            var position: UInt64 = 2
            var found = 0
            while try directory.inode!.nextEntry(&position, in: directory) != nil { found += 1 }
            #expect(found == 1000)
        }
    }

    @Test func aPipePassesBytesInOrderAndTellsItsEnd() throws {
        try withFiles { process in
            let (reading, writing) = try Pipe.make([.nonBlocking])
            #expect(fails(.wouldBlock) { _ = try read(reading) })
            #expect(try write(writing, [1, 2, 3]) == 3)
            #expect(reading.readiness().contains(.readable))
            #expect(try read(reading, 2) == [1, 2])
            #expect(try read(reading, 2) == [3])
            let big = [UInt8](repeating: 7, count: 70_000)
            #expect(try write(writing, big) == 65_536)
            #expect(fails(.wouldBlock) { _ = try write(writing, [1]) })
            #expect(try read(reading, 100).count == 100)
            #expect(
                fails(.wouldBlock) { _ = try write(writing, [UInt8](repeating: 1, count: 101)) }
            )
        }
    }

    @Test func processFilesTellOfTheProcess() throws {
        try withFiles { process in
            let text = String(decoding: try read(open("/proc/self/status")), as: UTF8.self)
            #expect(text.contains("Pid:\t\(process.id)"))
            #expect(!(try read(open("/proc/meminfo"))).isEmpty)
            #expect(!(try read(open("/proc/self/stat"))).isEmpty)
            #expect(try read(open("/sys/devices/system/cpu/online")) == Array("0\n".utf8))
            #expect(try read(open("/dev/zero"), 3) == [0, 0, 0])
            #expect(try read(open("/dev/urandom"), 16).count == 16)
        }
    }

    @Test func recordsHaveLinuxSizes() {
        #expect(MemoryLayout<FileStatus>.offset(of: \.birthTime) == FileStatus.recordSize)
        #expect(MemoryLayout<ExtendedStatusRecord>.size == 256)
        #expect(MemoryLayout<FilesystemStatusRecord>.size == 120)
        #expect(MemoryLayout<Poll.Entry>.size == 8)
    }
}
