import ArgumentParser
import Tender

/// `unirun inspect`: what a program's file is.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a program's file is and what it needs."
    )

    @Argument(help: "The program's file.")
    var program: String

    func run() throws {
    }
}
