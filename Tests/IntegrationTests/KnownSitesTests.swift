import Foundation
import Testing

/// What was executed once is rewritten from the start the next time: `--stats` tells what was caught.
@Suite(.enabled(if: Command.isBuilt && !Command.isNative)) struct KnownSitesTests {
    private let cache: ScratchFolder

    init() throws { cache = try ScratchFolder() }

    private func run(_ executable: String, _ options: [String] = ["--stats"]) throws -> Execution {
        try Execution.run(
            [Command.path, "run"] + Command.options + options + ["--", executable],
            environment: Command.environment.filter { !$0.hasPrefix("XDG_CACHE_HOME=") }
                + ["XDG_CACHE_HOME=\(cache.path)"],
            timeLimit: 20
        )
    }

    private func caught(_ run: Execution) throws -> Int {
        let lines = run.errorText.split(separator: "\n").map { $0.split(separator: " ") }
        let line = try #require(lines.first { $0.first == "calls_caught" }, "\(run.errorText)")
        return try #require(Int(line[1]))
    }

    /// Addresses of sites that a run caught, out of its table of sites: address, how often, state.
    private func caughtSites(_ run: Execution) -> Set<Substring> {
        let lines = run.errorText.split(separator: "\n").map { $0.split(separator: " ") }
        let sites = lines.filter { $0.count > 2 && $0[0].hasPrefix("0x") }
        return Set(sites.filter { Int($0[1]) ?? 0 > 0 }.map { $0[0] })
    }

    private static func builds(_ name: String) -> [Build] {
        Build.all.filter { $0.program.name == name }
    }

    @Test(
        arguments: [
            "threads-hundreds-at-once", "files-names-move-and-go",
            "start-exit-statuses-and-handlers",
        ].flatMap(builds)
    )
    func theSecondRunCatchesNothingOfTheFirstAndDoesTheSame(_ build: Build) throws {
        let executable = try build.executable().path
        let first = try run(executable)
        let second = try run(executable)
        #expect(try caught(first) > 0)
        // Threads that meet at another place than before may execute what the first run did not.
        #expect(try caught(second) < caught(first) / 4)
        #expect(caughtSites(first).isDisjoint(with: caughtSites(second)))
        #expect(second.outputText == first.outputText)
        #expect(second.status == first.status)
    }

    @Test func anotherProgramUnderTheSameNameIsNotTakenForTheFirst() throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/program"
        let (first, second) = try (
            Self.builds("files-names-move-and-go")[0].executable(),
            Self.builds("threads-hundreds-at-once")[0].executable()
        )
        try FileManager.default.copyItem(atPath: first.path, toPath: path)
        _ = try run(path)
        // Into the same inode.
        let script = "cat \"$1\" > \"$2\""
        let copy = try Execution.run(
            ["/bin/sh", "-c", script, "sh", second.path, path],
            environment: ["PATH=/bin"],
            timeLimit: 20
        )
        #expect(copy.status == 0)
        let other = try run(path)
        #expect(try caught(other) > 5)
        #expect(other.outputText == (try run(second.path)).outputText)
    }

    @Test func aDamagedCacheChangesNothing() throws {
        let executable = try Self.builds("files-names-move-and-go")[0].executable().path
        let whole = try run(executable, [])
        let folder = URL(fileURLWithPath: cache.path + "/unirun/sites")
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder.path).first)
        let file = folder.appendingPathComponent(name)
        let kept = try Data(contentsOf: file)
        let header = 32
        var damaged = [kept.prefix(3), kept.prefix(header + 5), Data(), kept.dropFirst(8)]
        // Sites that are none: every place of the program, and places that no program has.
        for step: UInt64 in [1, 4096, 1 << 44] {
            var words = (0..<4000).map { (0x27 << 48) | (UInt64($0) &* step) & (1 << 48 - 1) }
            damaged.append(kept.prefix(header) + Data(bytes: &words, count: words.count * 8))
        }
        for content in damaged {
            try content.write(to: file)
            let run = try run(executable, [])
            #expect(run.outputText == whole.outputText)
            #expect(run.status == whole.status)
        }
    }

    @Test func aCacheThatCannotBeKeptIsNoError() throws {
        let executable = try Self.builds("files-names-move-and-go")[0].executable().path
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + ["--", executable],
            environment: ["XDG_CACHE_HOME=/dev/null"],
            timeLimit: 20
        )
        #expect(run.errorText.isEmpty)
        #expect(run.status == 0)
    }
}
