import ArgumentParser
import ELFFile
import LinuxABI
import LoaderCore
import Tender

/// `unirun inspect`: what a program's file is.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a program's file is and what it needs."
    )

    @Argument(help: ArgumentHelp("The program's file.", valueName: "program"))
    var program: String

    func run() throws {
        let found: Program
        do throws(ProgramError) {
            found = try Program.open(program, hasRootFileSystem: true)
        } catch {
            throw LaunchFailure(error.description, status: error.exitStatus)
        }
        switch found {
        case .script(let interpreter, let argument):
            let words = [interpreter] + (argument.map { [$0] } ?? [])
            print("\(program): script for \(words.joined(separator: " "))")
        case .executable(let image): show(image)
        }
    }

    private func show(_ image: ExecutableImage) {
        print("\(program): \(image.summary)")
        print("entry  \(hexadecimal(image.plan.entry))")
        print("bytes  \(image.file.size)")
        guard !image.plan.mappings.isEmpty else { return }
        print("\nmappings")
        for mapping in image.plan.mappings { print("  \(describe(mapping))") }
    }
}

extension InspectCommand {
    /// `0x401000-0x402000 r-x file at 0x1000`.
    private func describe(_ mapping: LoadPlan.Mapping) -> String {
        let range = mapping.addresses
        let rights: [(MappingProtection, Character)] = [
            (.read, "r"), (.write, "w"), (.execute, "x"),
        ]
        let protection = String(rights.map { mapping.protection.contains($0.0) ? $0.1 : "-" })
        let source =
            switch mapping.source {
            case .file(let offset): "file at \(hexadecimal(offset))"
            case .anonymous: "zeroes"
            }
        return
            "\(hexadecimal(range.lowerBound))-\(hexadecimal(range.upperBound)) \(protection) \(source)"
    }

    private func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
