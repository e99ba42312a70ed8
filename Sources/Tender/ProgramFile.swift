import ELFFile
import Glibc
import LaunchRecord

/// The program's file, open and found fit to be tried.
struct ProgramFile {
    var path: String
    var descriptor: Int32
    var size: UInt64
    let sites: SiteCache

    /// Opens and checks a program of the host. The kernel checks it again: this is for the message.
    ///
    /// - Parameter hasRoot: whether a root image brings the libraries of a dynamic program, and
    ///   the interpreter of a script.
    init(_ path: String, hasRoot: Bool) throws(LaunchFailure) {
        self.path = path
        do throws(ProgramError) {
            _ = try Program.open(path, hasRootFileSystem: hasRoot)
        } catch {
            throw LaunchFailure(error.description, status: error.exitStatus)
        }
        // The check closed its own descriptor: it goes with an object, this one to a child.
        descriptor = openFile(path, O_RDONLY)
        guard descriptor >= 0, let status = fileStatus(descriptor) else {
            throw .cannotRun(path, lastErrorText())
        }
        size = UInt64(max(status.st_size, 0))
        sites = SiteCache(status)
    }

    /// Keeps sites of this run for the next. An unwinder knows the return from a signal by its bytes:
    /// where the program has tables for one, that site stays as it is.
    func keep(_ new: [KnownSite]) {
        let signalReturn: UInt64 = 15
        guard new.contains(where: { $0.number == signalReturn }), hasUnwindTables else {
            return sites.add(new)
        }
        sites.add(new.filter { $0.number != signalReturn })
    }

    private var hasUnwindTables: Bool { image?.mayBeUnwound ?? true }

    /// Names an address of the file, as `main+0x10`.
    var symbolName: ((UInt64) -> String?)? {
        image.map { image in { image.symbols.describe($0) } }
    }

    /// Where the program begins, as the file has it; nil unless it is position-independent and
    /// begins by itself.
    var relativeEntry: UInt64? {
        guard let image, image.plan.isPositionIndependent, image.interpreter == nil else {
            return nil
        }
        return image.plan.entry &- image.plan.bias
    }

    private var image: ExecutableImage? {
        guard case .executable(let image) = try? Program.open(path, hasRootFileSystem: true) else {
            return nil
        }
        return image
    }

    /// Whether the file at `path` is a program that needs no other file.
    static func isSelfContained(_ path: String) -> Bool {
        guard case .executable = try? Program.open(path, hasRootFileSystem: false) else {
            return false
        }
        return true
    }
}
