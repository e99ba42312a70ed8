import LinuxABI

/// A file that is to be executed, as the loader sees it. Class-bound, so that one compiled loader
/// serves every kind of file also in Embedded Swift.
public protocol ExecutableFile: AnyObject {
    /// Bytes in the file now.
    var size: UInt64 { get }

    /// Reads up to `buffer.count` bytes at `offset`, and returns how many there were; fewer than
    /// asked for means the end of the file. The loader trusts neither the number nor the bytes.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int
}

extension ExecutableFile {
    /// Fills the buffer, or says that the file ends before it.
    func fill(
        _ buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(LoadError) -> Bool {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count: Int
            do throws(Errno) {
                count = try read(at: offset &+ UInt64(filled), into: rest)
            } catch { throw .unreadable(error) }
            guard count > 0, count <= rest.count else { return false }
            filled += count
        }
        return true
    }
}
