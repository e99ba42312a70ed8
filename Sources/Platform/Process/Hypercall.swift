import Platform

/// A word that a host call answered: zero or more, or a negated errno.
@inline(__always)
func callHost(
    _ number: UInt32,
    _ first: UInt64 = 0,
    _ second: UInt64 = 0,
    _ third: UInt64 = 0,
    _ fourth: UInt64 = 0,
    _ fifth: UInt64 = 0,
    _ sixth: UInt64 = 0
) -> Int64 {
    count_host_call(UInt64(number))
    return hypercall(UInt64(number), first, second, third, fourth, fifth, sixth)
}

@inline(__always)
func address(_ pointer: UnsafeRawPointer?) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }
