import Foundation
import Testing

/// Every program behaves under unirun as it does natively: Linux is the oracle.
@Suite struct ProgramTests {
    /// Seconds that a program may take.
    static let timeLimit = 20.0

    @Test func theCommandIsBuilt() {
        let path = Command.path
        #expect(
            Command.isBuilt,
            "\(path) is missing: run `make build`, or name the command in UNIRUN"
        )
    }

    @Test(.enabled(if: Command.isBuilt), arguments: Build.all)
    func behavesAsNatively(_ build: Build) throws {
        let executable = try build.executable().path
        let program = build.program
        let native = try runNatively(program, executable)
        #expect(!native.timedOut, "the native run hangs")

        guard let reason = program.directives["known"] else {
            return try compare(build, native, executable)
        }
        withKnownIssue("\(reason)") { try compare(build, native, executable) }
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative))
    func aProgramOfTheRootRuns() throws {
        let folder = try ScratchFolder()
        let source = Program.folder.appendingPathComponent("files-working-folder.c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        try FileManager.default.copyItem(atPath: built.path, toPath: folder.path + "/of-the-root")
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + ["--rootfs", folder.path, "/of-the-root"],
            environment: Command.environment,
            timeLimit: Self.timeLimit
        )
        #expect(run.status == 0)
        #expect(run.errorText == "")
    }

    private func compare(_ build: Build, _ native: Execution, _ executable: String) throws {
        // The second time its sites are known (docs/adr/0014).
        for round in 1...(Command.isMachine ? 1 : 2) {
            let guest = try runAsGuest(build.program, executable)
            #expect(!guest.timedOut, "run \(round)")
            #expect(Difference(native.outputText, guest.outputText) == nil, "output, run \(round)")
            #expect(Difference(native.errorText, guest.errorText) == nil, "errors, run \(round)")
            #expect(guest.status == native.status, "run \(round)")
        }
    }

    private func runNatively(_ program: Program, _ executable: String) throws -> Execution {
        let folder = try ScratchFolder()
        if let root = program.rootFolder { try copyContents(of: root, to: folder.path) }
        return try Execution.run(
            [executable] + program.arguments,
            environment: Command.completed(program.environment),
            folder: folder.path,
            input: program.standardInput,
            timeLimit: Self.timeLimit
        )
    }

    private func runAsGuest(_ program: Program, _ executable: String) throws -> Execution {
        if Command.isNative { return try runNatively(program, executable) }
        var command = [Command.path, "run"] + Command.options
        if let root = program.rootFolder { command += ["--rootfs", root.path] }
        for variable in program.environment { command += ["-e", variable] }
        return try Execution.run(
            command + ["--", executable] + program.arguments,
            environment: Command.environment,
            input: program.standardInput,
            timeLimit: Self.timeLimit
        )
    }

    private func copyContents(of source: URL, to folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path) {
            try FileManager.default.copyItem(
                atPath: source.appendingPathComponent(name).path,
                toPath: folder + "/" + name
            )
        }
    }
}

/// The first line in which two outputs differ, told in one line.
private struct Difference: CustomStringConvertible {
    let description: String

    init?(_ native: String, _ guest: String) {
        guard native != guest else { return nil }
        let native = native.split(separator: "\n", omittingEmptySubsequences: false)
        let guest = guest.split(separator: "\n", omittingEmptySubsequences: false)
        let index = zip(native, guest).prefix { $0 == $1 }.count
        let line = { (lines: [Substring]) in index < lines.count ? "'\(lines[index])'" : "no line" }
        description = "line \(index + 1): \(line(native)) natively, \(line(guest)) here"
    }
}

/// The unirun command under test.
enum Command {
    /// `UNIRUN=native` runs every program natively twice, which tells whether what it prints is
    /// the same from run to run.
    static let isNative = ProcessInfo.processInfo.environment["UNIRUN"] == "native"

    static let path =
        ProcessInfo.processInfo.environment["UNIRUN"]
        ?? Program.packageRoot.appendingPathComponent("bin/unirun").path

    /// Options of every run, from `UNIRUN_OPTIONS`: `--platform vm -q` tries the machine.
    static let options =
        (ProcessInfo.processInfo.environment["UNIRUN_OPTIONS"] ?? "")
        .split(separator: " ").map(String.init)

    static let isMachine = options.contains("vm")

    static let isBuilt = isNative || access(path, X_OK) == 0

    /// What the command itself sees of the environment; the program sees only what `-e` names. The
    /// cache is empty at first: what earlier runs left there does not change what is tested.
    static let environment: [String] =
        ["HOME", "PATH"].compactMap { name in
            ProcessInfo.processInfo.environment[name].map { "\(name)=\($0)" }
        } + (cache.map { ["XDG_CACHE_HOME=\($0.path)"] } ?? [])

    /// A program's environment with what it finds there under unirun unless it was said otherwise.
    static func completed(_ environment: [String]) -> [String] {
        let usual = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME=unirun", "HOME=/root",
        ]
        let names = Set(environment.map { $0.prefix { $0 != "=" } })
        return usual.filter { !names.contains($0.prefix { $0 != "=" }) } + environment
    }

    private static let cache = try? ScratchFolder()
}
