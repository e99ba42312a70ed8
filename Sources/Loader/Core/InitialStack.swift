import LinuxABI

/// What a new program finds on its stack: argc, argv, envp, the auxiliary vector and their
/// strings, in the order in which Linux lays them out (System V ABI x86-64, figure 3.9).
///
/// The size is known before anything is written, so that `execve(2)` can answer E2BIG in time.
public struct InitialStack {
    /// A string with its zero byte is no longer (MAX_ARG_STRLEN).
    public static var maximumString: Int { 32 * 4096 }

    /// All strings and their pointers are given this much, whatever the stack's limit says: three
    /// quarters of 8 MiB.
    public static var maximumSize: Int { 6 << 20 }

    /// Bytes below `top` that `write` fills.
    public let size: Int
    /// First value of %rsp: the address of argc, a multiple of 16.
    public let stackPointer: UInt64
    /// Addresses of the argument strings: `/proc/self/cmdline`.
    public let argumentStrings: Range<UInt64>
    /// Addresses of the environment strings: `/proc/self/environ`.
    public let environmentStrings: Range<UInt64>
    /// Addresses of the auxiliary vector: `/proc/self/auxv`.
    public let auxiliaryVector: Range<UInt64>

    private let arguments: StringTable
    private let environment: StringTable
    private let executablePath: UnsafeRawBufferPointer
    private let values: AuxiliaryValues
    private let pathAddress: UInt64
    private let platformAddress: UInt64
    private let randomAddress: UInt64

    private static var platform: StaticString { "x86_64" }
    /// Entries that every vector has, AT_NULL included.
    private static var fixedEntries: Int { 20 }
    private static var wordSize: Int { 8 }

    /// Lays the stack out below `top`, a page boundary.
    ///
    /// `executablePath` is AT_EXECFN's, without a zero byte. `limit` is what the stack's resource
    /// limit allows for strings and pointers, a quarter of it (`execve(2)`, "Limits on size of
    /// arguments and environment"). The buffers are borrowed until `write` has returned.
    public init(
        arguments given: StringTable,
        environment: StringTable,
        executablePath: UnsafeRawBufferPointer,
        values: AuxiliaryValues,
        top: UInt64,
        limit: Int
    ) throws(Errno) {
        let arguments = given.count == 0 ? StringTable.oneEmpty : given
        let pointers = (arguments.count + environment.count + 2) * InitialStack.wordSize
        let strings = arguments.bytes.count + environment.bytes.count + executablePath.count + 1
        let allowed = min(max(limit, InitialStack.maximumString), InitialStack.maximumSize)
        // Linux counts the pointers, but not the two null ones that end their lists.
        guard pointers - 2 * InitialStack.wordSize + strings <= allowed,
            max(arguments.longest, environment.longest) <= InitialStack.maximumString
        else { throw .argumentListTooLong }

        // An empty word at the very top, then the strings, the last of them first.
        pathAddress = top - UInt64(InitialStack.wordSize + executablePath.count + 1)
        let environmentStart = pathAddress - UInt64(environment.bytes.count)
        environmentStrings = environmentStart..<pathAddress
        argumentStrings = (environmentStart - UInt64(arguments.bytes.count))..<environmentStart
        let belowStrings = argumentStrings.lowerBound & ~15
        platformAddress = belowStrings - UInt64(InitialStack.platform.utf8CodeUnitCount + 1)
        randomAddress = (platformAddress - 16) & ~15

        let entries = InitialStack.fixedEntries + (values.vdsoHeader == 0 ? 0 : 1)
        let vectorSize = entries * 2 * InitialStack.wordSize
        let words = InitialStack.wordSize + pointers + vectorSize
        stackPointer = (randomAddress - UInt64(words)) & ~15
        let vector = stackPointer + UInt64(InitialStack.wordSize + pointers)
        auxiliaryVector = vector..<(vector + UInt64(vectorSize))
        size = Int(top - stackPointer)
        self.arguments = arguments
        self.environment = environment
        self.executablePath = executablePath
        self.values = values
    }

    /// Writes the stack's bytes into a buffer of exactly `size`, which stands for, or is,
    /// the memory from `stackPointer` to the top.
    public func write(into buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count == size)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        copy(arguments.bytes, to: argumentStrings.lowerBound, buffer)
        copy(environment.bytes, to: environmentStrings.lowerBound, buffer)
        copy(executablePath, to: pathAddress, buffer)
        let platform = InitialStack.platform
        let platformBytes = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(platform.utf8Start),
            count: platform.utf8CodeUnitCount
        )
        copy(platformBytes, to: platformAddress, buffer)

        var writer = WordWriter(buffer)
        writer.append(UInt64(arguments.count))
        appendPointers(to: arguments, at: argumentStrings.lowerBound, &writer)
        appendPointers(to: environment, at: environmentStrings.lowerBound, &writer)
        appendVector(&writer)
        var random = WordWriter(buffer, offset: Int(randomAddress - stackPointer))
        random.append(values.random.0)
        random.append(values.random.1)
    }

    private func copy(
        _ bytes: UnsafeRawBufferPointer,
        to address: UInt64,
        _ buffer: UnsafeMutableRawBufferPointer
    ) {
        guard bytes.count > 0 else { return }
        let start = Int(address - stackPointer)
        UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + bytes.count])
            .copyMemory(from: bytes)
    }

    /// The address of each string, and a null pointer.
    private func appendPointers(
        to table: StringTable,
        at address: UInt64,
        _ writer: inout WordWriter
    ) {
        var isStart = true
        for index in 0..<table.bytes.count {
            if isStart { writer.append(address + UInt64(index)) }
            isStart = table.bytes[index] == 0
        }
        writer.append(0)
    }

    private func appendVector(_ writer: inout WordWriter) {
        if values.vdsoHeader != 0 { writer.append(.vdsoHeader, values.vdsoHeader) }
        writer.append(.minimumSignalStack, values.minimumSignalStack)
        writer.append(.hardwareCapabilities, values.hardwareCapabilities)
        writer.append(.pageSize, AddressLimits.pageSize)
        writer.append(.clockTicks, 100)
        writer.append(.programHeaders, values.programHeaders)
        writer.append(.programHeaderSize, UInt64(ELFProgramHeader.size))
        writer.append(.programHeaderCount, values.programHeaderCount)
        writer.append(.interpreterBase, values.interpreterBase)
        writer.append(.flags, 0)
        writer.append(.entry, values.entry)
        writer.append(.userID, UInt64(values.userID))
        writer.append(.effectiveUserID, UInt64(values.effectiveUserID))
        writer.append(.groupID, UInt64(values.groupID))
        writer.append(.effectiveGroupID, UInt64(values.effectiveGroupID))
        writer.append(.secure, values.isSecure ? 1 : 0)
        writer.append(.random, randomAddress)
        writer.append(.hardwareCapabilities2, values.hardwareCapabilities2)
        writer.append(.executablePath, pathAddress)
        writer.append(.platform, platformAddress)
        writer.append(.null, 0)
    }
}

/// Appends 64-bit words to a buffer.
private struct WordWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private var offset: Int

    init(_ buffer: UnsafeMutableRawBufferPointer, offset: Int = 0) {
        self.buffer = buffer
        self.offset = offset
    }

    mutating func append(_ word: UInt64) {
        buffer.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
        offset += 8
    }

    mutating func append(_ key: AuxiliaryKey, _ value: UInt64) {
        append(key.rawValue)
        append(value)
    }
}
