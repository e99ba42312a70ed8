import ArgumentParser
import Glibc
import Tender

/// The `unirun` command: its subcommands, and how its errors are told.
struct Unirun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unirun",
        abstract: "Run unmodified static Linux programs as unikernels.",
        usage: """
            unirun [run] [OPTIONS] PROGRAM [ARG...]
            unirun COMMAND ...
            """,
        discussion: """
            The program and a kernel written in Swift share one sandboxed process, and the \
            program's system calls become function calls.

            EXAMPLES:
              unirun ./hello                            run a static program
              unirun -e MODE=test -w /srv ./server -p 80
              unirun --rootfs ./alpine /bin/sh -c 'ls'  run from a root file system
              unirun --strace ./hello                   see its system calls
              unirun check ./server                     would it run?

            Everything after PROGRAM belongs to the program. Exit status: the program's; 128+n when \
            signal n ended it; 125 when unirun failed, 126 when PROGRAM cannot be run, 127 when it \
            is not found.
            """,
        subcommands: [
            RunCommand.self, InspectCommand.self, VersionCommand.self, CompletionsCommand.self,
        ],
        defaultSubcommand: RunCommand.self
    )
}

@main
enum Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parse(arguments)
            try command.run()
        } catch let failure as LaunchFailure {
            reportLine(failure.message)
            exit(failure.status)
        } catch {
            finish(error)
        }
    }

    /// Parses `run` alone where no subcommand is named: building them all costs half a millisecond.
    private static func parse(_ arguments: [String]) throws -> ParsableCommand {
        let first = arguments.first ?? "--help"
        if first == "run" { return try RunCommand.parse(Array(arguments.dropFirst())) }
        let isRoots = rootWords.contains(first) || first.hasPrefix("--generate-completion-script")
        return isRoots
            ? try Unirun.parseAsRoot(arguments.isEmpty ? [first] : arguments)
            : try RunCommand.parse(arguments)
    }

    private static let rootWords = [
        "-h", "--help", "-help", "help", "inspect", "version", "--version", "completions",
        "--experimental-dump-help", "---completion",
    ]

    /// Help goes to standard output; a mistake is one line and `unirun`'s own exit status.
    private static func finish(_ error: Error) -> Never {
        guard Unirun.exitCode(for: error) != .success else { Unirun.exit(withError: error) }
        let message = Unirun.message(for: error).split(separator: "\n").first.map(String.init)
        reportLine("\(message ?? "cannot read the command line"); see unirun --help")
        exit(LaunchFailure.unirunStatus)
    }
}
