import Foundation
import Testing

/// Folders of the host in the guest (`--volume`): in a process `unirun` serves them, in a machine QEMU.
@Suite(.enabled(if: Command.isBuilt && !Command.isNative)) struct VolumeTests {
    private static let busybox = "/bin/busybox"
    private let scratch: ScratchFolder
    /// What the guest has as /data; beside it lies what is none of its business.
    private let folder: String
    private let outside: String

    init() throws {
        scratch = try ScratchFolder()
        folder = scratch.path + "/shared"
        outside = scratch.path + "/outside"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try write("secret", to: outside)
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func contents(_ name: String) throws -> String {
        try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
    }

    private func run(_ options: [String], _ command: [String]) throws -> Execution {
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + options + ["--"] + command,
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit * 2
        )
        #expect(!run.timedOut)
        return run
    }

    /// Runs a shell's script with the folder at /data.
    private func shell(_ script: String, mode: String = "") throws -> Execution {
        try run(["-v", "\(folder):/data\(mode)"], [Self.busybox, "sh", "-c", script])
    }

    @Test func whatTheGuestWritesIsTheHosts() throws {
        let run = try shell("mkdir /data/new && echo hello >/data/new/file && cat /data/new/file")
        #expect(run.outputText == "hello\n")
        #expect(run.status == 0)
        #expect(try contents("new/file") == "hello\n")
    }

    @Test func theHostsFilesAreTheGuests() throws {
        try write("from outside\n", to: folder + "/file")
        chmod(folder + "/file", 0o640)
        let run = try shell("cat /data/file; stat -c '%a %s %u' /data/file; ls /data")
        #expect(run.outputText == "from outside\n640 13 \(getuid())\nfile\n")
        #expect(run.errorText == "")
    }

    /// The same program in a folder of the host's, by itself and as a guest: the same facts, and the same
    /// tree in the end.
    @Test(arguments: CLibrary.allCases)
    func aProgramBehavesThereAsNatively(_ library: CLibrary) throws {
        let source = Program.folder.appendingPathComponent("files-of-a-folder.c")
        let program = try Build(program: Program(source: source), library: library).executable()
        let other = try ScratchFolder()
        let native = try Execution.run(
            [program.path],
            environment: [],
            folder: other.path,
            timeLimit: ProgramTests.timeLimit
        )
        let guest = try run(["-v", "\(folder):/data", "-w", "/data"], [program.path])
        #expect(guest.outputText == native.outputText)
        #expect(guest.errorText == native.errorText)
        #expect(guest.status == native.status)
        #expect(try tree(folder) == tree(other.path))
    }

    /// All files with their permissions and contents.
    private func tree(_ path: String) throws -> [String] {
        let listing = try Execution.run(
            [
                Self.busybox, "sh", "-c",
                "find work | sort | while read f; do stat -c '%n %a %F' $f; "
                    + "[ -f $f ] && md5sum <$f; done",
            ],
            environment: ["PATH=/bin"],
            folder: path,
            timeLimit: ProgramTests.timeLimit
        )
        #expect(listing.outputText.count > 100)
        return listing.outputText.split(separator: "\n").map(String.init)
    }

    @Test func noWayLeadsOutOfTheFolder() throws {
        symlink("../outside", folder + "/link")
        symlink(scratch.path, folder + "/absolute")
        symlink("..", folder + "/up")
        let run = try shell(
            """
            for way in link absolute/outside up/outside ../outside sub/../../outside \
                up/shared/../outside
            do cat /data/$way 2>/dev/null && echo $way leads out; done
            mkdir /data/sub; ln -s /data/../../etc /data/sub/etc
            echo changed >/data/link; echo changed >/data/up/outside
            for way in up/.. absolute sub/..; do ls /data/$way/ | grep outside; done
            cd /data/sub && cd ../.. && pwd
            """
        )
        // What the guest finds at such ways is its own: /outside, which it made.
        #expect(!run.outputText.contains("secret"))
        #expect(run.outputText.hasSuffix("/\n"))
        #expect(try String(contentsOfFile: outside, encoding: .utf8) == "secret")
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: scratch.path))
                .isSuperset(of: ["shared", "outside"])
        )
    }

    @Test func nothingIsWrittenWhereReadingIsAllThatWasGiven() throws {
        try write("kept", to: folder + "/file")
        let run = try shell(
            "cd /data; echo x >file; echo x >new; mkdir d; rm file; mv file f; chmod 0 file; cat file",
            mode: ":ro"
        )
        #expect(run.outputText == "kept")
        #expect(run.errorText.split(separator: "\n").count == 6)
        for line in run.errorText.split(separator: "\n") {
            #expect(line.hasSuffix("Read-only file system"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        #expect(try contents("file") == "kept")
    }

    @Test func foldersLieInEachOther() throws {
        let other = try ScratchFolder()
        let run = try run(
            ["-v", "\(other.path):/data/a/b:ro", "-v", "\(folder):/data", "--tmpfs", "/data/tmp"],
            [
                Self.busybox, "sh", "-c",
                "echo 1 >/data/one; echo 2 >/data/tmp/two; echo 3 >/data/a/b/three; ls /data/a",
            ]
        )
        #expect(run.outputText == "b\n")
        #expect(run.errorText.contains("Read-only file system"))
        #expect(try contents("one") == "1\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/tmp").isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: other.path).isEmpty)
    }

    @Test func aProgramRunsFromAFolder() throws {
        try FileManager.default.copyItem(atPath: Self.busybox, toPath: folder + "/busybox")
        try write("#!/data/busybox sh\necho from a script\n", to: folder + "/script")
        chmod(folder + "/script", 0o755)
        let run = try run(
            ["-v", "\(folder):/data"],
            ["/data/busybox", "sh", "-c", "/data/script; /data/busybox echo $((6 * 7))"]
        )
        #expect(run.outputText == "from a script\n42\n")
        #expect(run.errorText == "")
        let absent = try self.run(["-v", "\(folder):/data"], ["/data/absent"])
        #expect(absent.status == 127)
    }

    /// A mapping that is written would have no way back to the host.
    @Test func sharedMappingsAreReadAndNotWritten() throws {
        let source = Program.folder.appendingPathComponent("volumes/shared-mapping.c")
        let program = try Build(program: Program(source: source), library: .musl).executable()
        let run = try run(["-v", "\(folder):/data"], [program.path, "/data/file"])
        #expect(
            run.outputText
                == "writable: ENODEV\nreadable: ok\nmade writable: EACCES\nwritten\n"
        )
        #expect(try contents("file").hasPrefix("written\0"))
    }

    @Test func whatTheHostChangesIsSeen() throws {
        try write("old", to: folder + "/file")
        let turn = folder + "/turn"
        let done = DispatchQueue.global()
        let path = folder + "/file"
        done.async {
            while access(turn, F_OK) != 0 { usleep(1000) }
            try? Data("new".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            unlink(turn)
        }
        let run = try shell(
            "cat /data/file; touch /data/turn; while [ -e /data/turn ]; do :; done; cat /data/file"
        )
        #expect(run.outputText == "oldnew")
    }
}
