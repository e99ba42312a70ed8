import LinuxABI

@testable import Kernel

/// What tests of files that are waited for share.
extension TaskMachine {
    /// A fresh table of descriptors for the process.
    func makeTable() -> DescriptorTable {
        let table = DescriptorTable()
        process.descriptors = table
        return table
    }
}

extension DescriptorTable {
    /// A counter and its descriptor.
    func event(_ value: UInt32 = 0, isSemaphore: Bool = false, _ flags: OpenFlags = [])
        -> (FileDescriptor, OpenFile)
    {
        guard let descriptor = try? makeEvent(value, isSemaphore: isSemaphore, flags),
            let file = try? file(descriptor)
        else { fatalError("no room for a counter") }
        return (descriptor, file)
    }

    /// The two ends of a pipe.
    func pipe(_ flags: OpenFlags = []) -> (reader: FileDescriptor, writer: FileDescriptor) {
        guard let ends = try? makePipe(flags) else { fatalError("no room for a pipe") }
        return (ends.0, ends.1)
    }

    func put(_ descriptor: FileDescriptor, _ bytes: [UInt8]) {
        _ = try? KernelTests.write(file(descriptor), bytes)
    }

    func take(_ descriptor: FileDescriptor, _ count: Int = 4096) -> [UInt8]? {
        try? KernelTests.read(file(descriptor), count)
    }
}

/// Adds to a counter; nil when it did not take the number.
@discardableResult
func add(_ value: UInt64, to file: OpenFile) -> Errno? {
    do { _ = try withUnsafeBytes(of: value) { try write(file, Array($0)) } } catch {
        return error as? Errno
    }
    return nil
}

/// The number that a counter or a timer gives when it is read.
func number(_ file: OpenFile) -> Result<UInt64, Errno> {
    do {
        return .success(
            try read(file, 8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        )
    } catch { return .failure(error as! Errno) }
}
