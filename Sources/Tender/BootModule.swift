import Glibc
import LaunchRecord

/// The file that a machine is booted with: the launch record, the program and the root image, each
/// from a page's beginning (`Images` in the kernel's machine platform).
enum BootModule {
    private static let pageSize: UInt64 = 4096

    /// Bytes of a module that was made.
    static func size(of module: Int32) -> UInt64 {
        fileStatus(module).map { UInt64($0.st_size) } ?? 0
    }

    /// Copies the files into one; each of them may be absent (-1).
    static func make(_ files: KernelProcess.Files) throws(LaunchFailure) -> Int32 {
        let module = try MemoryFile.make("boot module", size: 0)
        var end: UInt64 = 0
        for file in [files.launchRecord, files.program, files.rootImage] where file >= 0 {
            let size = try append(file, to: module, at: end)
            end += roundUp(size)
        }
        guard ftruncate(module, off_t(end)) == 0 else { throw failure() }
        return module
    }

    private static func append(_ file: Int32, to module: Int32, at start: UInt64)
        throws(LaunchFailure) -> UInt64
    {
        guard lseek(module, off_t(start), SEEK_SET) >= 0, let size = copyWhole(file, to: module)
        else { throw failure() }
        return size
    }

    private static func roundUp(_ size: UInt64) -> UInt64 {
        (size + pageSize - 1) & ~(pageSize - 1)
    }

    private static func failure() -> LaunchFailure {
        LaunchFailure("cannot pack the program for the machine: \(lastErrorText())")
    }
}
