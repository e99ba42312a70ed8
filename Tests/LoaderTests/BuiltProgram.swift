import Foundation

/// Programs that the tests compile, once a run, in a folder of their own.
enum BuiltProgram {
    static let folder: URL = {
        let name = "unirun-loader-\(getpid())"
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(at: BuiltProgram.folder) }
        return url
    }()

    private static let lock = NSLock()
    nonisolated(unsafe) private static var built: [String: String] = [:]

    /// The path of a program made by `compiler` from C source; the same request is built once.
    static func compile(
        _ source: String,
        _ compiler: String = "gcc",
        _ flags: [String] = ["-static"]
    ) throws -> String {
        lock.lock()
        defer { lock.unlock() }
        let key = ([compiler] + flags + [source]).joined(separator: "\u{0}")
        if let path = built[key] { return path }
        let base = folder.appendingPathComponent("p\(built.count)")
        let file = base.appendingPathExtension("c")
        try source.write(to: file, atomically: true, encoding: .utf8)
        let arguments = [compiler, "-O1", "-w", "-o", base.path, file.path] + flags
        let result = try run("/usr/bin/env", arguments)
        guard result.status == 0 else { throw CompileError(output: result.output) }
        built[key] = base.path
        return base.path
    }

    struct CompileError: Error { let output: String }

    /// Runs a program to its end.
    static func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String]? = nil
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let environment { process.environment = environment }
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
