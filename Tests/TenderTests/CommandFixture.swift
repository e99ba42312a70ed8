import Foundation
import Glibc
import TestFiles

/// What a finished command left.
struct Outcome {
    var status: Int32
    var bytes: [UInt8]
    var errors: String

    var output: String { String(decoding: bytes, as: UTF8.self) }

    var outputLines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Runs the built `unirun` with a fake kernel image in the real one's place.
enum CommandFixture {
    /// The folder of the build products, where this test's executable lies too.
    static let products = URL(fileURLWithPath: "/proc/self/exe")
        .resolvingSymlinksInPath().deletingLastPathComponent().path

    static let command = products + "/unirun"
    static let fakeKernel = products + "/FakeKernel"

    static let environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "UNIRUN_KERNEL": fakeKernel,
    ]

    static func process(
        _ arguments: [String],
        _ variables: [String: String] = [:],
        in folder: String? = nil
    ) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command)
        process.arguments = arguments
        process.environment = environment.merging(variables) { $1 }
        process.standardInput = FileHandle.nullDevice
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        return process
    }

    /// Runs a shell script; its `$0` is the command, `$1` and on the arguments.
    static func shell(_ script: String, _ arguments: [String]) throws -> Outcome {
        let process = process([])
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, command] + arguments
        return try finish(process)
    }

    static func run(
        _ arguments: [String],
        _ variables: [String: String] = [:],
        in folder: String? = nil
    ) throws -> Outcome {
        try finish(process(arguments, variables, in: folder))
    }

    private static func finish(_ process: Process) throws -> Outcome {
        let output = Pipe()
        let errors = try TemporaryFolder()
        let errorFile = errors.path + "/errors"
        _ = FileManager.default.createFile(atPath: errorFile, contents: nil)
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errorFile)
        try process.run()
        let written = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -1,
            bytes: [UInt8](written),
            errors: (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? ""
        )
    }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/unirun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(.EIO) }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file below the folder; its path.
    @discardableResult
    func add(_ name: String, _ content: [UInt8] = [], mode: mode_t = 0o644) throws -> String {
        let file = path + "/" + name
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if mode & 0o111 != 0 {
            try writeExecutable(content, at: file)
        } else {
            try Data(content).write(to: URL(fileURLWithPath: file))
        }
        chmod(file, mode)
        return file
    }

    /// A file whose header is a static x86-64 program's; the fake kernel never looks further.
    @discardableResult
    func addProgram(_ name: String = "program") throws -> String {
        try add(name, ProgramImage().bytes, mode: 0o755)
    }
}

/// A small ELF program that the loader takes, to be spoilt by tests.
struct ProgramImage {
    var bytes: [UInt8]

    init(interpreter: String? = nil) {
        bytes = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 57)
        bytes[16] = 2
        bytes[18] = 62
        bytes[20] = 1
        put(UInt64(0x40_0000), at: 24)
        put(UInt64(64), at: 32)
        put(UInt16(64), at: 52)
        put(UInt16(56), at: 54)
        put(UInt16(interpreter == nil ? 1 : 2), at: 56)
        let path: [UInt8] = interpreter.map { Array($0.utf8) + [0] } ?? []
        let size = 64 + 56 * (interpreter == nil ? 1 : 2) + path.count
        if interpreter != nil { addHeader(3, 4, offset: size - path.count, size: path.count, 1) }
        addHeader(1, 5, offset: 0, size: size, 4096)
        bytes += path
    }

    /// Adds instructions to the one segment.
    mutating func appendCode(_ code: [UInt8]) {
        bytes += code
        put(UInt64(bytes.count), at: 64 + 32)
        put(UInt64(bytes.count), at: 64 + 40)
    }

    private mutating func addHeader(
        _ type: UInt32,
        _ flags: UInt32,
        offset: Int,
        size: Int,
        _ alignment: UInt64
    ) {
        let start = bytes.count
        bytes += [UInt8](repeating: 0, count: 56)
        put(type, at: start)
        put(flags, at: start + 4)
        put(UInt64(offset), at: start + 8)
        put(UInt64(0x40_0000 + offset), at: start + 16)
        put(UInt64(0x40_0000 + offset), at: start + 24)
        put(UInt64(size), at: start + 32)
        put(UInt64(size), at: start + 40)
        put(alignment, at: start + 48)
    }

    private mutating func put(_ value: some FixedWidthInteger, at offset: Int) {
        for index in 0..<value.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8))
        }
    }
}
