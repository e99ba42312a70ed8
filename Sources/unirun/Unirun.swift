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
              unirun --strace=%file ./hello             see its calls that name files
              unirun check ./server                     would it run?
              unirun build -o disk.iso ./server         a disk for machines

            Everything after PROGRAM belongs to the program. Exit status: the program's; 128+n when \
            signal n ended it; 125 when unirun failed, 126 when PROGRAM cannot be run, 127 when it \
            is not found.
            """,
        version: "unirun \(VersionCommand.version)",
        subcommands: [
            RunCommand.self, BuildCommand.self, CheckCommand.self, InspectCommand.self,
            SyscallsCommand.self,
            VersionCommand.self, CompletionsCommand.self,
        ],
        defaultSubcommand: RunCommand.self
    )
}

@main
enum Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try run(arguments)
        } catch let failure as LaunchFailure {
            reportLine(failure.message)
            exit(failure.status)
        } catch {
            finish(error)
        }
    }

    /// Without options there is nothing to parse, and the parser's start costs more than all the
    /// rest; with options `run` is parsed alone where no command is named.
    private static func run(_ arguments: [String]) throws {
        let names = arguments.first == "run" ? Array(arguments.dropFirst()) : arguments
        guard let first = names.first else {
            guard arguments.isEmpty else { throw LaunchFailure.noProgram }
            throw CleanExit.helpRequest(Unirun.self)
        }
        if first == "--", names.count > 1 { try launch(names[1], argumentCount: names.count - 2) }
        if !first.hasPrefix("-"), names.count < arguments.count || !isCommand(first) {
            try launch(first, argumentCount: names.count - 1)
        }
        var command =
            isCommand(first) && names.count == arguments.count
            ? try Unirun.parseAsRoot(arguments)
            : try RunCommand.parse(CommandLineWords.spelledOut(names))
        try command.run()
    }

    private static func launch(_ program: String, argumentCount: Int) throws -> Never {
        var request = LaunchRequest(program: program)
        request.arguments = RawArguments.last(argumentCount)
        exit(try Launch(request).run())
    }

    /// Words that the root command understands; the others begin a run.
    private static func isCommand(_ word: String) -> Bool {
        switch word {
        case "help", "-h", "--help", "version", "--version", "completions": true
        case "build", "check", "inspect", "syscalls": true
        case "---completion", "--experimental-dump-help": true
        default: word.hasPrefix("--generate-completion-script")
        }
    }

    /// Help goes to standard output; a mistake is one line and `unirun`'s own exit status.
    private static func finish(_ error: Error) -> Never {
        guard Unirun.exitCode(for: error) != .success else { Unirun.exit(withError: error) }
        let lines = Unirun.message(for: error).split(separator: "\n")
        let message = lines.first ?? "The command line cannot be read"
        let sentence = message.hasSuffix(".") ? message.dropLast() : message
        reportLine("\(sentence.prefix(1).lowercased())\(sentence.dropFirst()); see unirun --help")
        exit(LaunchFailure.unirunStatus)
    }
}

/// What the parser cannot be told.
enum CommandLineWords {
    /// Writes out what two neighbouring words mean together. A program is no number; one that is has to
    /// be named by a path. As many words as before: what belongs to the program is counted from the
    /// end, and taken as it was given.
    static func spelledOut(_ words: [String]) -> [String] {
        var words = words
        for index in words.indices {
            words[index] = withValue(words[index])
            guard index > 0 else { continue }
            switch words[index - 1] {
            // Flags that may be followed by a port, and by a group of calls.
            case "--gdb" where isNumber(words[index]):
                words[index] = "--gdb-port=\(words[index])"
            case "--strace" where words[index].hasPrefix("%"):
                words[index] = "--trace=\(words[index])"
            // docker's volume, where `-v` alone is verbose.
            case "-v" where words[index].contains(":"): words[index - 1] = "--volume"
            default: break
            }
        }
        return words
    }

    /// The parser knows no flags with a value: those have an option beside them.
    private static func withValue(_ word: String) -> String {
        for (flag, option) in [("--gdb=", "--gdb-port="), ("--strace=", "--trace=")]
        where word.hasPrefix(flag) && word.utf8.count > flag.utf8.count {
            return option + word.dropFirst(flag.count)
        }
        return word
    }

    private static func isNumber(_ word: String) -> Bool {
        !word.isEmpty
            && word.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
