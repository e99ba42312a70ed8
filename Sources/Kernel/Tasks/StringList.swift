import LinuxABI
import LoaderCore
import Platform

/// The strings of argv or envp in kernel memory, end to end, each with its zero byte.
public final class StringList {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var length = 0

    /// More than Linux allows for both lists together.
    private static let limit = InitialStack.maximumSize

    /// Throws `noMemory`.
    public init(capacity: Int = 4096) throws(Errno) {
        guard let memory = kernel_allocate(capacity) else { throw .noMemory }
        self.memory = memory
        self.capacity = capacity
    }

    /// Strings that have their zero bytes. Throws `noMemory`.
    public convenience init(_ strings: [UInt8]) throws(Errno) {
        try self.init(capacity: max(strings.count, 1))
        var failure: Errno? = nil
        strings.withUnsafeBytes { bytes in
            do throws(Errno) { try append(strings: bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    deinit { kernel_free(memory) }

    /// The strings, valid while the list lives and is not added to.
    public var table: StringTable {
        StringTable(UnsafeRawBufferPointer(start: memory, count: length)) ?? .none
    }

    /// Adds one string, given without its zero byte.
    public func append(_ text: UnsafeRawBufferPointer) throws(Errno) {
        try reserve(text.count + 1)
        append(unchecked: text)
        (memory + length).storeBytes(of: 0, as: UInt8.self)
        length += 1
    }

    /// Adds strings that have their zero bytes.
    public func append(strings: UnsafeRawBufferPointer) throws(Errno) {
        try reserve(strings.count)
        append(unchecked: strings)
    }

    /// Adds the strings that a NULL-terminated list of the program points to; none for a null list.
    ///
    /// Throws `argumentListTooLong`, `badAddress`.
    public func append(listAt address: UInt) throws(Errno) {
        guard address != 0 else { return }
        var entry = UserPointer<UInt>(address)
        while true {
            let string = try entry.load()
            guard string != 0 else { return }
            try append(stringAt: string)
            entry = entry[1]
        }
    }

    private func append(stringAt address: UInt) throws(Errno) {
        var room = 128
        while true {
            try reserve(room)
            let free = UnsafeMutableRawBufferPointer(
                start: memory + length,
                count: min(capacity - length, InitialStack.maximumString)
            )
            do throws(Errno) {
                let count = try UserMemory.readString(
                    at: address,
                    into: free,
                    tooLong: .argumentListTooLong
                )
                length += count
                (memory + length).storeBytes(of: 0, as: UInt8.self)
                length += 1
                return
            } catch {
                guard error == .argumentListTooLong, room < InitialStack.maximumString else {
                    throw error
                }
                room = min(free.count * 2, InitialStack.maximumString)
            }
        }
    }

    private func append(unchecked bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        (memory + length).copyMemory(from: base, byteCount: bytes.count)
        length += bytes.count
    }

    private func reserve(_ count: Int) throws(Errno) {
        guard count <= StringList.limit - length else { throw .argumentListTooLong }
        guard length + count > capacity else { return }
        let larger = max(capacity * 2, length + count)
        guard let fresh = kernel_allocate(larger) else { throw .noMemory }
        fresh.copyMemory(from: memory, byteCount: length)
        kernel_free(memory)
        memory = fresh
        capacity = larger
    }
}
