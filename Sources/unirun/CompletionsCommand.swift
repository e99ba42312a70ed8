import ArgumentParser
import Tender

/// `unirun completions`: a script that teaches a shell the command's words.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print a completion script for a shell.",
        discussion: "As in: unirun completions bash > /etc/bash_completion.d/unirun"
    )

    enum Shell: String, CaseIterable {
        case bash
        case zsh
        case fish
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Choice<Shell>

    func run() throws {
        let kind: CompletionShell =
            switch try shell.value(of: "shell", "unirun completions") {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        print(Unirun.completionScript(for: kind))
    }
}
