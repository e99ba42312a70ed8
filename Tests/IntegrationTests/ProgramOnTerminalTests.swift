import Foundation
import Testing

/// Programs on a terminal behave under unirun as they do natively.
@Suite(.serialized) struct ProgramOnTerminalTests {
    static let busybox = "/usr/bin/busybox"

    @Test(.enabled(if: Command.isBuilt && access(busybox, X_OK) == 0))
    func viEditsAFileOnATerminal() throws {
        let native = try edit(asGuest: false)
        #expect(native.screens[1].contains("1st line"))
        #expect(native.status == 0)
        let guest = try edit(asGuest: true)
        #expect(guest.screens == native.screens)
        #expect(guest.status == native.status)
    }

    @Test(.enabled(if: Command.isBuilt), arguments: CLibrary.allCases)
    func modesSizeAndSignalsOfATerminalAreTheHosts(_ library: CLibrary) throws {
        let source = Program.folder.appendingPathComponent("terminal/modes-size-and-signals.c")
        let build = Build(program: Program(source: source), library: library)
        let executable = try build.executable().path
        let native = try converse(executable, asGuest: false)
        #expect(native.status == 128 + SIGINT)
        let guest = try converse(executable, asGuest: true)
        #expect(guest.output == native.output)
        #expect(guest.status == native.status)
    }

    /// What vi says after it wrote the file, and its screen, drawn anew: bytes that do not depend
    /// on how fast the keys came.
    private func edit(asGuest: Bool) throws -> (screens: [String], status: Int32?) {
        let folder = try ScratchFolder()
        let terminal = try start([Self.busybox, "vi", "notes.txt"], folder, asGuest: asGuest)
        terminal.readUntilQuiet()
        terminal.send("ifirst line\rsecond line\rthird line\u{1b}")
        terminal.readUntilQuiet()
        terminal.send("ggyyjpkdd:s/first/1st/\r")
        terminal.readUntilQuiet()
        terminal.send(":w\r")
        let written = terminal.readUntilQuiet()
        terminal.send("\u{0c}")
        let drawn = terminal.readUntilQuiet()
        terminal.send(":q!\r")
        return ([written, drawn], try terminal.finish().status)
    }

    private func converse(_ executable: String, asGuest: Bool) throws -> (
        output: String, status: Int32?
    ) {
        let folder = try ScratchFolder()
        let terminal = try start([executable], folder, asGuest: asGuest)
        var output = terminal.read(until: "for a line\r\n")
        terminal.send("typed\u{7f}D text\r")
        output += terminal.read(until: "for an interrupt\r\n")
        usleep(100_000)  // until it blocks in read
        terminal.send("\u{03}")
        output += terminal.read(until: "for a byte\r\n")
        terminal.send("x")
        output += terminal.read(until: "interrupt character\r\n")
        terminal.send("\u{03}")
        output += terminal.read(until: "another size\r\n")
        terminal.resize(rows: 30, columns: 100)
        output += terminal.read(until: "for the end\r\n")
        terminal.send("\u{04}")
        output += terminal.read(until: "last interrupt\r\n")
        terminal.send("\u{03}")
        let last = try terminal.finish()
        return (output + last.output, last.status)
    }

    private func start(
        _ words: [String],
        _ folder: ScratchFolder,
        asGuest: Bool
    ) throws -> Terminal {
        let isGuest = asGuest && !Command.isNative
        let runner =
            isGuest ? [Command.path, "run"] + Command.options + ["-e", "TERM=vt100", "--"] : []
        return try Terminal(
            runner + words,
            environment: isGuest ? Command.environment : ["TERM=vt100"],
            folder: folder.path
        )
    }
}
