import ArgumentParser

@main
struct Unirun: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unirun")
}
