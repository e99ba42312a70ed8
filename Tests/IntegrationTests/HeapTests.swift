import Foundation
import Testing

/// After a program the kernel's heap is back at the base line that it had before: `--stats` tells.
@Suite struct HeapTests {
    /// One or more of each kind of thing that the kernel keeps for a program.
    static let names = [
        "epoll-level-edge-oneshot", "eventfd-counts-and-blocks", "exec-ends-the-other-threads",
        "exec-errors", "exec-itself-with-arguments-and-environment", "exec-scripts",
        "files-access-lists", "files-bind-mounts", "files-copy-inside-the-kernel",
        "files-descriptors-duplicate",
        "files-extended-attributes", "files-folders-list-their-entries",
        "files-live-on-without-a-name", "files-locks",
        "files-many-and-big", "files-mounts", "files-names-move-and-go",
        "files-relative-to-descriptors",
        "files-symbolic-links", "files-watched-by-inotify", "futex-requeue-moves-waiters",
        "futex-priority-inheritance-words", "identity-and-limits",
        "ipc-message-queues", "ipc-named-queues", "ipc-semaphores", "ipc-shared-memory",
        "memory-many-mappings-and-holes", "memory-mremap-grows-moves-shrinks",
        "memory-shared-anonymous-and-remap", "memory-shared-file-mapping-is-coherent",
        "pipes-between-threads", "pipes-sizes-packets-and-names",
        "pipes-splice-tee-and-vmsplice", "pipes-with-a-name", "poll-and-select-tell-readiness",
        "processes-memory-is-copied", "processes-orphans-find-a-parent",
        "processes-share-futexes-and-files", "processes-spawn-programs",
        "processes-thousands-leave-nothing",
        "proc-self-tells-about-the-program", "proc-tells-about-the-system",
        "signals-default-of-segv-ends-the-program", "signals-posix-timers",
        "signals-signalfd-reads-them", "signals-alarms-and-interval-timers",
        "sockets-and-epoll", "sockets-between-processes", "sockets-connections",
        "sockets-datagrams", "sockets-interrupted", "sockets-names-in-folders",
        "sockets-names-without-folders", "sockets-pass-credentials", "sockets-pass-files",
        "sockets-sequenced-packets", "sockets-streams-wait",
        "start-exit-statuses-and-handlers", "start-many-arguments",
        "terminals-control-sessions-and-jobs", "terminals-pairs-pass-lines-and-bytes",
        "threads-exit-group-ends-all", "threads-hundreds-at-once",
        "threads-cancellation-runs-cleanups", "threads-robust-mutex-owner-died",
        "time-timerfd-counts-expirations",
    ]

    static let builds = Build.all.filter { names.contains($0.program.name) }

    @Test func everyNamedProgramIsThere() {
        #expect(Set(Self.builds.map(\.program.name)) == Set(Self.names))
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative), arguments: builds)
    func nothingIsLeft(after build: Build) throws {
        var command = [Command.path, "run"] + Command.options + ["--stats"]
        if let root = build.program.rootFolder { command += ["--rootfs", root.path] }
        for variable in build.program.environment { command += ["-e", variable] }
        let run = try Execution.run(
            command + ["--", build.executable().path] + build.program.arguments,
            environment: Command.environment,
            input: build.program.standardInput,
            timeLimit: 20
        )
        expectNothingLeft(run)
    }

    /// Programs of apps/, where they are built already, with what they do in a second.
    static let applications = [
        ["busybox", "sh", "-c", "cd /tmp; echo a >b; read c <b; echo $c; test -d /proc/self"],
        ["busybox", "ls", "-lR", "/dev", "/proc/self", "/proc/sys"],
        ["cpp"], ["go"], ["rust"],
        ["lua", "-e", "local t = {} for i = 1, 1e5 do t[i] = {i} end print(#t)"],
        ["sqlite", "/tmp/base", "create table t(a); insert into t values(1); select * from t;"],
    ]

    @Test(.enabled(if: Command.isBuilt && !Command.isNative), arguments: applications)
    func nothingIsLeft(after application: [String]) throws {
        let name = application[0]
        let path = Program.packageRoot.appendingPathComponent("apps/\(name)/\(name)-static").path
        guard access(path, X_OK) == 0 else { return }
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + ["--stats", "--", path]
                + application.dropFirst(),
            environment: Command.environment,
            timeLimit: 60
        )
        expectNothingLeft(run)
    }

    @Test(
        .enabled(if: Command.isBuilt && !Command.isNative),
        arguments: [
            ("exit", 0), ("kill", 137), ("fault", 139), ("exec", 0),
        ]
    )
    func nothingIsLeftOfWhatWasOpen(end: String, status: Int32) throws {
        let source = Program.folder.appendingPathComponent("hosts/leaves-everything-open.c")
        let built = try Build(program: Program(source: source), library: .glibc).executable()
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + ["--stats", "--", built.path, end],
            environment: Command.environment,
            timeLimit: 20
        )
        #expect(run.status == status)
        #expect(run.outputText == "")
        expectNothingLeft(run)
    }

    private func expectNothingLeft(_ run: Execution) {
        let values = Statistics.values(of: run.errorText)
        #expect(values["heap_left_bytes"] == 0)
        #expect(values["heap_left_blocks"] == 0)
        #expect(values["pages_left"] == 0)
        #expect(values["heap_base_blocks"] ?? 0 > 0)
    }
}

/// The last section of what `--stats` prints.
enum Statistics {
    static func values(of text: String) -> [String: Int] {
        var values: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let value = Int(words[1]) else { continue }
            values[String(words[0])] = value
        }
        return values
    }
}
