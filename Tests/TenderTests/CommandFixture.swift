import Foundation
import Glibc

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
        try Data(content).write(to: URL(fileURLWithPath: file))
        chmod(file, mode)
        return file
    }

    /// A file whose header is a static x86-64 program's; the fake kernel never looks further.
    @discardableResult
    func addProgram(_ name: String = "program") throws -> String {
        try add(name, ProgramImage().bytes, mode: 0o755)
    }
}

/// The first bytes of an ELF program, to be spoilt by tests.
struct ProgramImage {
    var bytes: [UInt8]

    init(interpreter: String? = nil) {
        bytes = [UInt8](repeating: 0, count: 64)
        bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
        bytes[16] = 2
        bytes[18] = 62
        bytes[20] = 1
        bytes[52] = 64
        bytes[54] = 56
        guard let interpreter else { return }
        bytes[32] = 64
        bytes[56] = 1
        var header = [UInt8](repeating: 0, count: 56)
        header[0] = 3
        header[8] = 120
        header[32] = UInt8(interpreter.utf8.count + 1)
        bytes += header + Array(interpreter.utf8) + [0]
    }
}
