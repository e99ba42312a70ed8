import ArgumentParser
import ELFFile
import Glibc
import Tender

/// `unirun check`: which system calls a program holds, and whether the kernel has them.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Show which system calls a program holds, and which are missing.",
        discussion: """
            The program's code is searched, it is not run: a call that is found may never be made, \
            and code that is made at run time is not seen. Exit status 1 when a call is missing.
            """
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
        guard case .executable(let image) = found else {
            throw LaunchFailure(
                "cannot check \(program): it is a script; check its interpreter",
                status: LaunchFailure.cannotRunStatus
            )
        }
        let scan = image.scanSystemCalls()
        let known = CallDescription.all
        let calls = scan.numbers.map { number in
            known.first { $0.number == number } ?? CallDescription(unknown: number)
        }
        print("\(program): \(image.summary)")
        print("\(CallDescription.summary(calls)), at \(scan.sites.count) sites")
        show("missing", calls.filter { $0.level == .missing })
        show("partial", calls.filter { $0.level == .partial })
        showNames("full", calls.filter { $0.level == .full })
        show(sites: scan.unresolved, "sites whose numbers are not all known")
        show(sites: scan.legacySites, "32-bit calls, which end the program with SIGSEGV")
        if calls.contains(where: { $0.level == .missing }) { Glibc.exit(1) }
    }

    private func show(_ title: String, _ calls: [CallDescription]) {
        guard !calls.isEmpty else { return }
        var table = TextTable()
        for call in calls { table.add([call.name, call.note]) }
        print("\n\(title)\n\(table.text)", terminator: "")
    }

    /// Names alone, in lines of a terminal's width.
    private func showNames(_ title: String, _ calls: [CallDescription]) {
        guard !calls.isEmpty else { return }
        print("\n\(title)")
        var line = " "
        for call in calls {
            if line.count + call.name.count >= 80 {
                print(line)
                line = " "
            }
            line += " \(call.name)"
        }
        print(line)
    }

    private func show(sites: [SystemCallScan.Site], _ title: String) {
        guard !sites.isEmpty else { return }
        var table = TextTable()
        for site in sites {
            table.add(["0x" + String(site.address, radix: 16), site.symbol ?? ""])
        }
        print("\n\(title)\n\(table.text)", terminator: "")
    }
}
